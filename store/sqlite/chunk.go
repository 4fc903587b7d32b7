package sqlite

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"slices"

	"editlock/store"
)

// chunk is a row of the log: the entries of one commit.
type chunk struct {
	seq  int64
	body []byte
}

// logEntry is the form of an entry in a chunk.
type logEntry struct {
	Seq     uint64       `json:"seq"`
	Kind    string       `json:"kind"`
	Name    string       `json:"name"`
	Token   uint64       `json:"token"`
	At      int64        `json:"at"`
	Owner   store.Party  `json:"owner"`
	Actor   *store.Party `json:"actor,omitempty"` // absent: the owner
	Other   *store.Party `json:"other,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Request string       `json:"request,omitempty"`
}

// logArgs are the values of the row for the entries of one commit.
func logArgs(entries []store.Entry) ([]any, error) {
	forms := make([]logEntry, len(entries))
	first, last := entries[0].At, entries[0].At
	for i := range entries {
		e := &entries[i]
		f := logEntry{
			Seq: e.Seq, Kind: e.Kind, Name: e.Name, Token: e.Token, At: e.At.UnixMicro(),
			Owner: e.Owner, Reason: e.Reason, Request: e.Request,
		}
		if e.Actor != e.Owner {
			f.Actor = &e.Actor
		}
		if e.Other != (store.Party{}) {
			f.Other = &e.Other
		}
		forms[i] = f
		if e.At.Before(first) {
			first = e.At
		}
		if e.At.After(last) {
			last = e.At
		}
	}
	body, err := json.Marshal(forms)
	return []any{
		int64(entries[len(entries)-1].Seq), len(entries), first.UnixMicro(), last.UnixMicro(), string(body),
	}, err
}

func scanChunk(row scanner) (c chunk, err error) {
	var body sql.RawBytes // read before the next row
	if rows, many := row.(*sql.Rows); many {
		err = rows.Scan(&c.seq, &body)
		c.body = body
		return c, err
	}
	err = row.Scan(&c.seq, &c.body)
	return c, err
}

// entries reads the entries of a chunk.
func (c chunk) entries() ([]store.Entry, error) {
	var forms []logEntry
	if err := json.Unmarshal(c.body, &forms); err != nil {
		return nil, err
	}
	entries := make([]store.Entry, len(forms))
	for i, f := range forms {
		e := store.Entry{
			Seq: f.Seq, Kind: f.Kind, Name: f.Name, Token: f.Token, At: fromMicros(f.At),
			Owner: f.Owner, Actor: f.Owner, Reason: f.Reason, Request: f.Request,
		}
		if f.Actor != nil {
			e.Actor = *f.Actor
		}
		if f.Other != nil {
			e.Other = *f.Other
		}
		entries[i] = e
	}
	return entries, nil
}

// sieve tells from the bytes of a chunk that it holds nothing a query looks
// for, which is far quicker than reading its entries.
type sieve [][]byte

func newSieve(q store.LogQuery) (s sieve) {
	for _, text := range []string{q.Name, q.User, q.Request} {
		if text != "" {
			s = append(s, quoted(text))
		}
	}
	if len(q.Kinds) == 1 {
		s = append(s, quoted(q.Kinds[0]))
	}
	if prefix := store.WholeLetters(q.Prefix); prefix != "" { // JSON writes letters whole
		s = append(s, bytes.TrimSuffix(quoted(prefix), []byte{'"'}))
	}
	return s
}

func quoted(text string) []byte {
	b, _ := json.Marshal(text) // a string: can't fail
	return b
}

func (s sieve) passes(c chunk) bool {
	return !slices.ContainsFunc(s, func(needle []byte) bool { return !bytes.Contains(c.body, needle) })
}

// logKeys are the keys under which entries are found.
func logKeys(entries []store.Entry) []string {
	keys := make(map[string]struct{}, 2*len(entries))
	for _, e := range entries {
		keys["n"+e.Name] = struct{}{}
		for _, user := range []string{e.Owner.User, e.Actor.User, e.Other.User} {
			if user != "" {
				keys["u"+user] = struct{}{}
			}
		}
	}
	out := make([]string, 0, len(keys))
	for k := range keys {
		out = append(out, k)
	}
	return out
}

// keys are the keys of the entries that a batch logs.
func (b *batch) keys() []keyed {
	n := len(b.entries)
	if n == 0 {
		return nil
	}
	keys := make([]keyed, 0, 2*n)
	for _, key := range logKeys(b.entries) {
		keys = append(keys, keyed{key, int64(b.entries[n-1].Seq)})
	}
	return keys
}
