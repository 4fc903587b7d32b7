package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

// Ends implements store.Store.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ends := store.Ends{Entries: make([]*store.Entry, len(holds))}
	err := s.readLog(ctx, func(tx *sql.Tx, head logHead) (err error) {
		ends.Floor = head.floor
		keys := make([]string, len(holds))
		for i, h := range holds {
			keys[i] = "n" + h.Name
		}
		fresh, err := s.tail.findAll(ctx, tx, head.indexed, keys)
		if err != nil {
			return err
		}
		old, err := tx.PrepareContext(ctx, "SELECT seq FROM editlock_log_key WHERE key = ? AND seq > ? ORDER BY seq LIMIT ?")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, old.Close()) }()
		chunks, err := tx.PrepareContext(ctx, "SELECT seq, body FROM editlock_log WHERE seq = ?")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, chunks.Close()) }()
		within := store.EndsWithin(len(holds))
		chunksOf := make(map[int64][]int) // holds whose end may be there, by chunk
		for i, h := range holds {
			above := int64(min(h.Token, 1<<62))
			seqs, err := endsAt(ctx, old, keys[i], above, within)
			if err != nil {
				return err
			}
			from, _ := slices.BinarySearch(fresh[i], above+1)
			seqs = append(seqs, fresh[i][from:]...)
			for _, seq := range seqs[:min(within, len(seqs))] {
				chunksOf[seq] = append(chunksOf[seq], i)
			}
		}
		for _, seq := range slices.Sorted(maps.Keys(chunksOf)) {
			some := slices.DeleteFunc(chunksOf[seq], func(i int) bool { return ends.Entries[i] != nil })
			if len(some) == 0 {
				continue
			}
			if err := endsIn(ctx, chunks, seq, some, holds, kinds, ends.Entries); err != nil {
				return err
			}
		}
		return nil
	})
	return ends, err
}

// endsAt are the chunks of a key above a number, as the index has them.
func endsAt(ctx context.Context, old *sql.Stmt, key string, above int64, within int) (seqs []int64, err error) {
	rows, err := old.QueryContext(ctx, key, above, within)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return nil, err
		}
		seqs = append(seqs, seq)
	}
	return seqs, rows.Err()
}

// endsIn finds the ends of some holds in a chunk, as far as they are there. It
// reads only the entries of their names: a chunk may have a thousand others.
func endsIn(ctx context.Context, chunks *sql.Stmt, seq int64, some []int, holds []store.Hold, kinds []string, ends []*store.Entry) error {
	c, err := scanChunk(chunks.QueryRowContext(ctx, seq))
	if errors.Is(err, sql.ErrNoRows) { // pruned, or later than this moment
		return nil
	}
	if err != nil {
		return err
	}
	wanted := make(map[string][]int, len(some))
	for _, i := range some {
		name := string(quoted(holds[i].Name))
		wanted[name] = append(wanted[name], i)
	}
	for one := range entryBodies(c.Body) {
		found := wanted[string(nameIn(one))]
		if len(found) == 0 {
			continue
		}
		entries, err := dbfile.Chunk{Seq: seq, Body: slices.Concat([]byte("["), one, []byte("]"))}.Entries()
		if err != nil {
			return err
		}
		for _, i := range found {
			if e := entries[0]; ends[i] == nil && e.Name == holds[i].Name && e.Seq > holds[i].Token && slices.Contains(kinds, e.Kind) {
				ends[i] = &e
			}
		}
	}
	return nil
}

// entryMark begins each entry of a chunk. It can't be within a text, where
// quotes have a backslash before them.
var (
	entryMark = []byte(`{"seq":`)
	nameMark  = []byte(`"name":`)
)

// entryBodies are the entries of a chunk, not decoded.
func entryBodies(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := bytes.Index(body, entryMark); at >= 0; {
			body = body[at:]
			next := bytes.Index(body[1:], entryMark)
			one := body
			if next >= 0 {
				next++
				one = body[:next]
			}
			if !yield(bytes.TrimRight(one, ",]")) {
				return
			}
			at = next
		}
	}
}

// nameIn is the name in an entry, with its quotes.
func nameIn(one []byte) []byte {
	_, text, found := bytes.Cut(one, nameMark)
	if !found {
		return nil
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1]
		}
	}
	return nil
}

// tail is the index of the log's end, which the file has none of yet. It is
// read once, and then what is new each time.
type tail struct {
	mu         sync.Mutex
	from, upto int64 // chunks above from and up to upto are in keys
	chunks     int
	keys       map[string][]int64
}

// find are the chunks of a key above those that the file's index has.
func (t *tail) find(ctx context.Context, tx *sql.Tx, indexed int64, key string) ([]int64, error) {
	found, err := t.findAll(ctx, tx, indexed, []string{key})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (t *tail) findAll(ctx context.Context, tx *sql.Tx, indexed int64, keys []string) ([][]int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t
	switch {
	case indexed < t.from: // a moment that is long gone
		at = &tail{from: indexed, upto: indexed}
	case t.keys == nil || indexed > t.upto || indexed > t.from && t.chunks > 3*indexEvery:
		t.from, t.upto, t.chunks, t.keys = indexed, indexed, 0, nil
	}
	if err := at.learn(ctx, tx); err != nil {
		return nil, err
	}
	found := make([][]int64, len(keys))
	for i, key := range keys {
		seqs := at.keys[key]
		from, _ := slices.BinarySearch(seqs, indexed+1)
		found[i] = slices.Clone(seqs[from:])
	}
	return found, nil
}

// learn takes in the chunks above upto.
func (t *tail) learn(ctx context.Context, tx *sql.Tx) (err error) {
	rows, err := tx.QueryContext(ctx, "SELECT seq, body FROM editlock_log WHERE seq > ? ORDER BY seq", t.upto)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if t.keys == nil {
		t.keys = make(map[string][]int64)
	}
	for rows.Next() {
		c, err := scanChunk(rows)
		if err != nil {
			return err
		}
		entries, err := c.Entries()
		if err != nil {
			return err
		}
		for _, key := range logKeys(entries) {
			t.keys[key] = append(t.keys[key], c.Seq)
		}
		t.upto = c.Seq
		t.chunks++
	}
	return rows.Err()
}
