package dbfile

import (
	"encoding/binary"
	"errors"
)

// Entry is an entry of the log.
type Entry struct {
	Number uint64
	ID     string
	Value  []byte
	Tags   []string
}

var errChunk = errors.New("the row of the log is truncated or not written by editlock")

// EncodeLog is the body of the row for the entries of one commit, whose numbers
// rise. The row's seq is the last of them.
func EncodeLog(entries []Entry) []byte {
	size, seq := 0, entries[len(entries)-1].Number
	for i := range entries {
		size += 32 + len(entries[i].ID) + len(entries[i].Value)
		for _, tag := range entries[i].Tags {
			size += 2 + len(tag)
		}
	}
	b := make([]byte, 0, size)
	for i := range entries {
		e := &entries[i]
		b = binary.AppendUvarint(b, seq-e.Number)
		b = appendText(b, e.ID)
		b = appendText(b, e.Value)
		b = binary.AppendUvarint(b, uint64(len(e.Tags)))
		for _, tag := range e.Tags {
			b = appendText(b, tag)
		}
	}
	return b
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// DecodeLog reads the entries of a row. Their values are parts of the body, their
// IDs and tags of one copy of it: a batch may have logged a thousand.
func DecodeLog(seq uint64, body []byte) ([]Entry, error) {
	var (
		entries []Entry
		tags    []string // of all entries
	)
	d := decoder{rest: body, all: string(body)}
	for len(d.rest) > 0 && !d.bad {
		e := Entry{Number: seq - d.number(), ID: d.string(), Value: d.text()}
		n := d.number()
		if n > uint64(len(d.rest)) {
			return nil, errChunk
		}
		first := len(tags)
		for range n {
			tags = append(tags, d.string())
		}
		if n > 0 {
			e.Tags = tags[first:len(tags):len(tags)]
		}
		if last := len(entries) - 1; e.Number > seq || last >= 0 && e.Number <= entries[last].Number {
			return nil, errChunk
		}
		entries = append(entries, e)
	}
	if n := len(entries); d.bad || n == 0 || entries[n-1].Number != seq {
		return nil, errChunk
	}
	return entries, nil
}

type decoder struct {
	rest []byte
	all  string // what rest is the end of
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// string is a text as a part of all.
func (d *decoder) string() string {
	n := len(d.text())
	end := len(d.all) - len(d.rest) // after the text was read
	return d.all[end-n : end]
}

func (d *decoder) text() []byte {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	text := d.rest[:n:n]
	d.rest = d.rest[n:]
	return text
}
