package sqlite

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

func scanChunk(row scanner) (c dbfile.Chunk, err error) {
	var body sql.RawBytes // read before the next row
	if rows, many := row.(*sql.Rows); many {
		err = rows.Scan(&c.Seq, &body)
		c.Body = body
		return c, err
	}
	err = row.Scan(&c.Seq, &c.Body)
	return c, err
}

// firstOf is the number of a chunk's first entry.
func firstOf(c dbfile.Chunk) (uint64, error) {
	entries, err := c.Entries()
	if err != nil || len(entries) == 0 {
		return uint64(c.Seq), err
	}
	return entries[0].Seq, nil
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
	if q.Infix != "" && utf8.ValidString(q.Infix) {
		s = append(s, bytes.Trim(quoted(q.Infix), `"`))
	}
	return s
}

func quoted(text string) []byte {
	b, _ := json.Marshal(text) // a string: can't fail
	return b
}

func (s sieve) passes(c dbfile.Chunk) bool {
	return !slices.ContainsFunc(s, func(needle []byte) bool { return !bytes.Contains(c.Body, needle) })
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
