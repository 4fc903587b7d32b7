package etcd

import (
	"fmt"
	"strconv"
	"strings"
)

// keys makes the keys of one store; it is the prefix that all of them have.
//
//	head             version and clock of the store: see head
//	step             the last number given out, and news: see batch
//	step/N           news of a part of a batch
//	time             the time of the last batch
//	turn             the process that writes alone
//	row/KEY          a row
//	tag/TAG KEY      rows by tag
//	lease/LEASE KEY  rows by the key that they live with
//	due/TIME KEY     rows by when they are due
//	mile/…           landmarks among the four above: see landmarkEvery
//	log/NUMBER       log entries of one batch, at most maxPart; NUMBER is the last one's
//	once/ID NUMBER   keys of the log with entries of an ID
//	mark/TAG NUMBER  keys of the log by tag, many in one value; NUMBER is the last one's
//	index            how far the log is indexed: see index
//
// A part that others follow ends with end, so that no part is the beginning
// of another, and keys come in the order of their first parts by bytes.
type keys string

const end = "\x00\x01"

// part is a text as one part of a key.
func part(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\x00\xff")
	}
	return s + end
}

func number(n uint64) string { return fmt.Sprintf("%016x", n) }

// numberOf is the number that a key ends in.
func numberOf(key []byte) (uint64, error) {
	return strconv.ParseUint(string(key[max(0, len(key)-numberLen):]), 16, 64)
}

// numberLen is the length of a number in a key or value.
const numberLen = 16

// leading is the number that a value begins with.
func leading(value []byte) uint64 {
	n, _ := numberOf(value[:min(len(value), numberLen)])
	return n
}

func (k keys) head() string                        { return string(k) + "head" }
func (k keys) step() string                        { return string(k) + "step" }
func (k keys) news(n int) string                   { return k.step() + "/" + strconv.Itoa(n) }
func (k keys) time() string                        { return string(k) + "time" }
func (k keys) turn() string                        { return string(k) + "turn" }
func (k keys) row(key string) string               { return string(k) + "row/" + key }
func (k keys) tag(tag string) string               { return string(k) + "tag/" + part(tag) }
func (k keys) lease(key string) string             { return string(k) + "lease/" + part(key) }
func (k keys) dues() string                        { return string(k) + "due/" }
func (k keys) due(micros int64, key string) string { return k.dues() + number(uint64(micros)) + key }
func (k keys) landmark(of string) string           { return string(k) + "mile/" + of[len(k):] }
func (k keys) marks(landmark string) string        { return string(k) + landmark[len(k.landmark(string(k))):] }
func (k keys) logs() string                        { return string(k) + "log/" }
func (k keys) log(n uint64) string                 { return k.logs() + number(n) }
func (k keys) once(id string) string               { return string(k) + "once/" + part(id) }
func (k keys) mark(tag string) string              { return string(k) + "mark/" + part(tag) }
func (k keys) index() string                       { return string(k) + "index" }

// after is the first key behind all that begin with prefix.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return "\x00" // to the end of all keys
}
