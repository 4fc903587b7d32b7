package etcd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/editlock/editlock/store"
)

// keys makes the keys of one store; it is the prefix that all of them have.
//
//	head                 one value that every step replaces: see head
//	turn                 the process that others let go first
//	line/PROCESS         one that waits for the turn; its value is a lease
//	names/NAME r         the record under a name
//	names/NAME t SEQ     a ticket in its queue
//	sessions/S NAME      index of records by their holder's session
//	users/U NAME         and by his user
//	due/TIME NAME        when a name wants settling, or sooner
//	peers/PEER           until when a waiting process lives
//	waits/PEER TICKET    index of tickets by that process; its value is a name
//	log/SEQ              consecutive entries of one step, under the last one's number
//	named/NAME SEQ       index of those keys by a name; its value is the kinds of the
//	                     name's entries there, or empty (older versions): unknown
//	requests/ID          a request that took effect; ends with a lease
//	batches/PROCESS      the last step of a process: tells it after an answer was lost
//
// A part that others follow ends with end, so that no part is the beginning
// of another, and keys come in the order of their first parts by bytes.
type keys string

const end = "\x00\x01"

// part is a text as one part of a key.
func part(s string) string { return strings.ReplaceAll(s, "\x00", "\x00\xff") + end }

// unpart undoes part, and returns what follows it.
func unpart(key string) (s, rest string) {
	s, rest, _ = strings.Cut(key, end)
	return strings.ReplaceAll(s, "\x00\xff", "\x00"), rest
}

func number(n uint64) string { return fmt.Sprintf("%016x", n) }

// numberOf is the number that a key ends in.
func numberOf(key string) (uint64, error) {
	return strconv.ParseUint(key[max(0, len(key)-16):], 16, 64)
}

func (k keys) head() string                         { return string(k) + "head" }
func (k keys) turn() string                         { return string(k) + "turn" }
func (k keys) line() string                         { return string(k) + "line/" }
func (k keys) place(process string) string          { return k.line() + process }
func (k keys) names() string                        { return string(k) + "names/" }
func (k keys) name(name string) string              { return k.names() + part(name) }
func (k keys) record(name string) string            { return k.name(name) + "r" }
func (k keys) ticket(t *store.Ticket) string        { return k.name(t.Name) + "t" + number(t.Seq) }
func (k keys) session(s string) string              { return string(k) + "sessions/" + part(s) }
func (k keys) user(u string) string                 { return string(k) + "users/" + part(u) }
func (k keys) dues() string                         { return string(k) + "due/" }
func (k keys) dueAt(micros int64) string            { return k.dues() + number(uint64(micros)) }
func (k keys) due(micros int64, name string) string { return k.dueAt(micros) + name }
func (k keys) peers() string                        { return string(k) + "peers/" }
func (k keys) peer(id string) string                { return k.peers() + id }
func (k keys) waits(peer string) string             { return string(k) + "waits/" + part(peer) }
func (k keys) logs() string                         { return string(k) + "log/" }
func (k keys) log(seq uint64) string                { return k.logs() + number(seq) }
func (k keys) named(name string) string             { return string(k) + "named/" + part(name) }
func (k keys) request(id string) string             { return string(k) + "requests/" + id }
func (k keys) batch(process string) string          { return string(k) + "batches/" + process }

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
