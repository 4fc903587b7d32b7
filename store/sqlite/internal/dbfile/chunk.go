package dbfile

import (
	"fmt"

	"github.com/editlock/editlock/store/internal/codec"
)

// Entry is an entry of the log.
type Entry struct {
	Number uint64
	ID     string
	Value  []byte
	Tags   []string
}

var errChunk = fmt.Errorf("row of the log: %w", codec.ErrMalformed)

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
	b := make(codec.Encoder, 0, size)
	for i := range entries {
		e := &entries[i]
		b.Number(seq - e.Number)
		b.Text(e.ID)
		b.Bytes(e.Value)
		b.Texts(e.Tags)
	}
	return b
}

// DecodeLog reads the entries of a row. Their values are parts of the body, their
// IDs and tags of one copy of it: a batch may have logged a thousand.
func DecodeLog(seq uint64, body []byte) ([]Entry, error) {
	var (
		entries []Entry
		tags    []string // of all entries
	)
	d := codec.NewShared(body)
	for d.More() {
		e := Entry{Number: seq - d.Number(), ID: d.Text(), Value: d.Bytes()}
		first := len(tags)
		if tags = d.AppendTexts(tags); len(tags) > first {
			e.Tags = tags[first:len(tags):len(tags)]
		}
		if last := len(entries) - 1; e.Number > seq || last >= 0 && e.Number <= entries[last].Number {
			return nil, errChunk
		}
		entries = append(entries, e)
	}
	if n := len(entries); d.Err() != nil || n == 0 || entries[n-1].Number != seq {
		return nil, errChunk
	}
	return entries, nil
}
