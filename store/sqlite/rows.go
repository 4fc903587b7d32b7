package sqlite

import (
	"fmt"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
)

// letters tell of each first byte whether any key begins with it.
type letters [256]byte

const (
	unknown = iota
	none
	some
)

// anyUnder reports whether a key in a column begins with this byte.
func (w *writer) anyUnder(known *letters, column string, first byte) (bool, error) {
	if known[first] == unknown {
		n, err := integer(w.c, "SELECT EXISTS (SELECT 1 FROM editlock_row WHERE "+column+" >= ?1 AND (?2 = '' OR "+column+" < ?2))",
			string([]byte{first}), successor(string([]byte{first})))
		if err != nil {
			return false, err
		}
		known[first] = none + byte(n)
	}
	return known[first] == some, nil
}

// load is the row under a key, live or not; nil: none.
func (w *writer) load(key string) (*kv.Row, error) {
	if r, known := w.rows[key]; known {
		return r, nil
	}
	w.get.BindText(1, key)
	there, err := w.get.Step()
	if err != nil {
		return nil, err
	}
	var r *kv.Row
	if there {
		row := scanRow(w.get)
		r = &row
	}
	w.know(key, r)
	return r, w.get.Reset()
}

// know remembers the row under a key; nil: there is none.
func (w *writer) know(key string, r *kv.Row) {
	w.rows[key] = r
	w.bytes += len(key)
	if r != nil {
		w.bytes += len(r.Value) + len(r.Data)
	}
}

// row is the row under a key; nil: there is none, or its lease has ended.
func (w *writer) row(key string) (*kv.Row, error) {
	r, err := w.load(key)
	if r == nil || r.Lease == "" || err != nil {
		return r, err
	}
	live, err := w.live(r.Lease)
	if !live {
		r = nil
	}
	return r, err
}

// live reports whether the row under a key is.
func (w *writer) live(key string) (bool, error) {
	r, err := w.row(key)
	return r != nil && r.Live(w.now), err
}

func (w *writer) holds(c *kv.Cond) (bool, error) {
	if c.Key == "" {
		return w.few(c)
	}
	r, err := w.row(c.Key)
	if r == nil || c.Absent || err != nil {
		return r == nil && c.Absent, err
	}
	return r.Live(w.now) != c.Dead &&
		(c.Rev == 0 || r.Rev == c.Rev) && (c.Ver == 0 || r.Ver == c.Ver) &&
		(c.Tag == "" || slices.Contains(r.Tags, c.Tag)) && (c.Lease == "" || r.Lease == c.Lease) &&
		(c.Data == nil || r.Data == *c.Data), nil
}

// few reports whether a condition holds that counts rows.
func (w *writer) few(c *kv.Cond) (bool, error) {
	if c.Prefix != "" {
		if any, err := w.anyUnder(&w.keys, "k", c.Prefix[0]); !any || err != nil {
			return !any, err
		}
	}
	q, state, most := kv.Range{Prefix: c.Prefix, Tag: c.Tag}, living, c.AtMost
	switch {
	case c.NoneDue:
		q.Tag, state, most = "", overdue, 0
	case c.Due:
		state = ""
	}
	s := &selection{args: []any{w.now.UnixMicro()}}
	s.WriteString("SELECT COUNT(*) FROM (")
	s.rows("1", &q, state)
	s.add(limited+")", most+1)
	n, err := integer(w.c, s.String(), s.args...)
	return int(n) <= most, err
}

// find reads a range within the transaction.
func (w *writer) find(q *kv.Range) (found kv.Found, err error) {
	switch {
	case q.Key != "":
		r, err := w.row(q.Key)
		if r != nil {
			row := *r
			row.Tags, row.Value = slices.Clone(r.Tags), slices.Clone(r.Value)
			found = kv.Found{Rows: []kv.Row{row}, Count: 1}
		}
		return found, err
	case q.Prefix != "":
		if any, err := w.anyUnder(&w.keys, "k", q.Prefix[0]); !any || err != nil {
			return found, err
		}
	}
	return search(w.c, q, w.now)
}

// maxTags is how many tags a row may have: the columns t1 and t2.
const maxTags = 2

// write makes one write; before is the number before the first one drawn.
func (w *writer) write(in *kv.Write, before uint64) error {
	if len(in.Tags) > maxTags {
		return fmt.Errorf("a row has %d tags; at most %d are allowed", len(in.Tags), maxTags)
	}
	key := in.RowKey(before)
	old, err := w.load(key)
	if err != nil {
		return err
	}
	if old != nil && !in.Renew {
		if err := w.release(key); err != nil {
			return err
		}
	}
	if in.Delete || in.Renew && old == nil {
		return w.delete(key, old)
	}
	r := in.Row(old, before, w.now)
	if in.Lease != "" {
		if live, err := w.live(in.Lease); !live || err != nil {
			if err == nil {
				err = w.delete(key, old)
			}
			return err
		}
	}
	touched := in.Renew && in.Value == nil && in.Tags == nil && in.Lease == "" && in.Data == nil && in.TTL == 0 && in.Max == 0
	return w.put(r, old, touched)
}

// put writes a row in place of an old one; nil: there is none. touched: only
// Seen and Due are new.
func (w *writer) put(r, old *kv.Row, touched bool) error {
	s := w.update
	switch {
	case touched:
		s = w.touch
		s.BindInt64(2, r.Seen.UnixMicro())
		bindTime(s, 3, r.Due)
	case old == nil:
		s = w.insert
		fallthrough
	default:
		s.BindBytes(2, r.Value)
		s.BindText(3, r.Data)
		for i := range maxTags {
			tag := ""
			if i < len(r.Tags) {
				tag = r.Tags[i]
			}
			bindText(s, 4+i, tag)
		}
		bindText(s, 6, r.Lease)
		s.BindInt64(7, int64(r.Rev))
		s.BindInt64(8, int64(r.Ver))
		s.BindInt64(9, r.At.UnixMicro())
		s.BindInt64(10, r.Seen.UnixMicro())
		bindTime(s, 11, r.Due)
		s.BindInt64(12, int64(r.TTL))
		s.BindInt64(13, int64(r.Max))
	}
	s.BindText(1, r.Key)
	w.know(r.Key, r)
	w.keys[r.Key[0]] = some
	if r.Lease != "" {
		w.leases[r.Lease[0]] = some
	}
	return do(s)
}

// bindText binds a text; NULL if it is empty.
func bindText(s *sqlite.Stmt, param int, text string) {
	if text == "" {
		s.BindNull(param)
		return
	}
	s.BindText(param, text)
}

// bindTime binds a time; NULL if it is zero.
func bindTime(s *sqlite.Stmt, param int, t time.Time) {
	if t.IsZero() {
		s.BindNull(param)
		return
	}
	s.BindInt64(param, t.UnixMicro())
}

// delete removes a row, if there is one.
func (w *writer) delete(key string, old *kv.Row) error {
	if old == nil {
		return nil
	}
	w.rows[key], w.keys[key[0]] = nil, unknown
	if old.Lease != "" {
		w.leases[old.Lease[0]] = unknown
	}
	w.remove.BindText(1, key)
	return do(w.remove)
}

// release removes the rows that live with a key.
func (w *writer) release(key string) error {
	if any, err := w.anyUnder(&w.leases, "lease", key[0]); !any || err != nil {
		return err
	}
	var keys []string
	err := query(w.c, "SELECT k FROM editlock_row WHERE lease = ?", func(s *sqlite.Stmt) error {
		keys = append(keys, s.ColumnText(0))
		return nil
	}, key)
	for _, k := range keys {
		if err == nil {
			err = w.write(&kv.Write{Key: k, Delete: true}, 0)
		}
	}
	return err
}
