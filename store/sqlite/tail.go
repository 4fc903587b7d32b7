package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

const (
	// indexEvery is how many keys of the log's end are sorted together.
	indexEvery = 16384
	// indexPiece is how many of them a commit writes at least, indexRows how many
	// by one statement.
	indexPiece, indexRows = 64, 16
	// drainWithin bounds what the end of a process does for the index.
	drainWithin = time.Second
)

// keyed is where a tag or an ID of an entry leads: the row of the log.
type keyed struct {
	key string
	seq uint64
}

// A key is a tag or an ID, told apart by what it begins with.
func tagKey(tag string) string { return "t" + tag }
func idKey(id string) string   { return "i" + id }

// appendKeys appends the keys under which the entries of a row are found.
func appendKeys(keys []keyed, seq uint64, entries []dbfile.Entry) []keyed {
	for i := range entries {
		for _, tag := range entries[i].Tags {
			keys = append(keys, keyed{tagKey(tag), seq})
		}
		if entries[i].ID != "" {
			keys = append(keys, keyed{idKey(entries[i].ID), seq})
		}
	}
	return keys
}

// sorted sorts keys, and leaves each once.
func sorted(keys []keyed) []keyed {
	slices.SortFunc(keys, func(a, b keyed) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
	})
	return slices.Compact(keys)
}

// tail is the index of the log's end, which the file's index does not have yet.
// It is read once, and then what is new each time. When it is long enough, the
// writer adds it to the file's, a piece with each commit.
type tail struct {
	mu         sync.Mutex
	from, upto uint64 // rows above from and up to upto are in sealed and fresh
	fresh      keyRun
	sealed     *sealed
}

// keyRun is some keys in the order of the log. They are looked up in a map, which is
// made when somebody looks.
type keyRun struct {
	keys []keyed
	seqs map[string][]uint64
	done int // so many keys are in seqs
}

func (r *keyRun) find(key string) []uint64 {
	if r.seqs == nil {
		r.seqs = make(map[string][]uint64)
	}
	for _, k := range r.keys[r.done:] {
		if seqs := r.seqs[k.key]; len(seqs) == 0 || seqs[len(seqs)-1] != k.seq {
			r.seqs[k.key] = append(seqs, k.seq)
		}
	}
	r.done = len(r.keys)
	return r.seqs[key]
}

// sealed is a part of the tail that is on its way into the file's index.
type sealed struct {
	keyRun
	upto   uint64
	sorted chan []keyed // has them once they are sorted
}

// learn takes in the rows of the log behind upto.
func (t *tail) learn(c *sqlite.Conn, h head) error {
	switch {
	case h.indexed > t.upto:
		t.from, t.upto, t.fresh, t.sealed = h.indexed, h.indexed, keyRun{}, nil
	case t.sealed != nil && h.indexed >= t.sealed.upto:
		t.drop()
	}
	if h.last <= t.upto {
		return nil
	}
	return query(c, "SELECT seq, body FROM editlock_log WHERE seq > ? ORDER BY seq", func(s *sqlite.Stmt) error {
		entries, err := decodeBody(s, 1)
		if err == nil {
			t.add(uint64(s.ColumnInt64(0)), entries)
		}
		return err
	}, int64(t.upto))
}

func (t *tail) add(seq uint64, entries []dbfile.Entry) {
	t.fresh.keys = appendKeys(t.fresh.keys, seq, entries)
	if t.upto = seq; len(t.fresh.keys) < indexEvery || t.sealed != nil {
		return
	}
	s := &sealed{keyRun: t.fresh, upto: seq, sorted: make(chan []keyed, 1)}
	t.sealed, t.fresh = s, keyRun{keys: make([]keyed, 0, indexEvery)}
	all := slices.Clone(s.keys)
	go func() { s.sorted <- sorted(all) }()
}

// full is the part that is on its way into the file's index; nil: there is none.
func (t *tail) full() *sealed {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sealed
}

// drop drops what the file's index has.
func (t *tail) drop() { t.from, t.sealed = t.sealed.upto, nil }

// find are the rows of a key that the file's index did not have at a moment.
// stale: the tail began later.
func (t *tail) find(c *sqlite.Conn, h head, key string) (seqs []uint64, stale bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.indexed < t.from {
		return nil, true, nil
	}
	if err := t.learn(c, h); err != nil {
		return nil, false, err
	}
	if t.sealed != nil {
		seqs = append(seqs, t.sealed.find(key)...)
	}
	seqs = append(seqs, t.fresh.find(key)...)
	from, _ := slices.BinarySearch(seqs, h.indexed+1)
	return seqs[from:], false, nil
}

// keepUp takes in what others logged, so that a search need not.
func (t *tail) keepUp(c *sqlite.Conn, h head) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.indexed < t.from {
		return nil
	}
	return t.learn(c, h)
}

// replayed reports whether an entry with this ID was logged within the window.
func (w *writer) replayed(id string) (is bool, err error) {
	if slices.ContainsFunc(w.entries, func(e dbfile.Entry) bool { return e.ID == id }) {
		return true, nil
	}
	fresh, _, err := w.e.tail.find(w.c, w.head, idKey(id))
	if err != nil {
		return false, err
	}
	within := func(s *sqlite.Stmt) error {
		is = is || w.now.Sub(moment(s.ColumnInt64(0))) < kv.Window
		return nil
	}
	if n := len(fresh); n > 0 {
		err = query(w.c, "SELECT at FROM editlock_log WHERE seq = ?", within, int64(fresh[n-1]))
	} else {
		err = query(w.c, "SELECT l.at FROM editlock_log_key k CROSS JOIN editlock_log l ON l.seq = k.seq WHERE k.key = ?", within, idKey(id))
	}
	return is, err
}

// draining is what the writer adds to the file's index.
type draining struct {
	from *sealed
	keys []keyed // that are left
	// Of the transaction under way:
	n    int  // so many of them are written
	last bool // and the file's index has all of from then

	floor uint64 // no key leads to a row up to this one
}

// drain adds a piece of the tail to the file's index, in the transaction of so
// many entries.
func (w *writer) drain(entries int) error {
	d := &w.draining
	if d.from == nil {
		s := w.e.tail.full()
		if s == nil {
			return nil
		}
		select {
		case d.keys = <-s.sorted:
			d.from, d.floor = s, 0
		default:
			return nil
		}
	}
	return w.index(max(indexPiece, 8*entries))
}

// drainAll adds what is on its way into the file's index at once, if anything
// is: each process of a command would begin with it, and end before it is done.
func (e *engine) drainAll() error {
	if e.tail.full() == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(e.ctx, drainWithin)
	defer cancel()
	return e.transact(ctx, func(w *writer) error {
		d := &w.draining
		if s := e.tail.full(); d.from == nil && s != nil {
			d.keys, d.from, d.floor = <-s.sorted, s, 0
		}
		if d.from == nil {
			return nil
		}
		return w.index(len(d.keys))
	})
}

// index adds so many keys to the file's index.
func (w *writer) index(n int) error {
	d := &w.draining
	if floor := w.head.floor; floor > d.floor {
		d.keys = slices.DeleteFunc(d.keys, func(k keyed) bool { return k.seq <= floor }) // removed since
		d.floor = floor
	}
	d.n = min(len(d.keys), n)
	for left := d.keys[:d.n]; len(left) > 0; {
		s, n := w.key, 1
		if len(left) >= indexRows {
			s, n = w.sixteen, indexRows
		}
		for i, k := range left[:n] {
			s.BindText(2*i+1, k.key)
			s.BindInt64(2*i+2, int64(k.seq))
		}
		if err := do(s); err != nil {
			return err
		}
		left = left[n:]
	}
	if d.n < len(d.keys) {
		return nil
	}
	d.last = true
	w.head.indexed = max(w.head.indexed, d.from.upto)
	return run(w.c, "UPDATE editlock_meta SET indexed = ?", int64(w.head.indexed))
}

// drained notes what a commit has written.
func (w *writer) drained() {
	t, d := &w.e.tail, &w.draining
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(w.entries); n > 0 {
		if t.upto == w.logged { // nothing is missing
			t.add(w.entries[n-1].Number, w.entries)
		}
		w.logged = w.entries[n-1].Number
	}
	if d.keys = d.keys[d.n:]; d.last {
		if t.sealed == d.from {
			t.drop()
		}
		d.from = nil
	}
}
