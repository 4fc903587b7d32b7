package core

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

const (
	// lookAtOnce is how many names are looked at together.
	lookAtOnce = 64
	// lookPause is the shortest pause between two looks, so that entries logged at
	// about the same time are read together.
	lookPause = 5 * time.Millisecond
	// lookPage is how many entries are read at a time.
	lookPage = 500
)

// look watches free names whose first waiter is blocked, and settles them once that is
// possible. If this process does not listen to its engine, the sweep does it.
func (s *Store) look(names []stuck) {
	s.mu.Lock()
	hears := s.stop != nil && !s.closed
	s.mu.Unlock()
	if hears {
		s.watch(names)
	}
}

func (s *Store) watch(names []stuck) {
	if len(names) > 0 && s.blocked.add(names) {
		go s.lookOn()
	}
}

// lookOn looks at names for as long as some are blocked: after each entry of the log
// about a name in the way, and every closedFor, as reports may be lost. After each look it
// pauses for as long as the look took, so that others have at least half of the store.
func (s *Store) lookOn() {
	b, after := &s.blocked, unread
	for {
		began := time.Now() //nolint:forbidigo // it decides nothing but how long to rest
		again, err := s.lookOnce(s.commits.ctx, &after)
		if err != nil {
			again = time.Second
		}
		goesOn, now := b.goesOn()
		took := time.Since(began) //nolint:forbidigo // see above
		if !goesOn || !rest(s.commits.ctx, max(lookPause, again, took)) {
			return
		}
		if now {
			continue
		}
		late := time.NewTimer(closedFor) // reports may be lost
		select {
		case <-b.bell:
		case <-late.C:
		case <-s.commits.ctx.Done():
			return
		}
		late.Stop()
	}
}

// rest waits for d. It returns false if ctx has ended.
func rest(ctx context.Context, d time.Duration) bool {
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lookOnce reads new entries of the log, checks the names in the way that they are about,
// and settles some of the names that may be free of them now. again is the shortest time
// until the next look.
func (s *Store) lookOnce(ctx context.Context, after *uint64) (again time.Duration, err error) {
	if err := s.readOn(ctx, after); err != nil {
		return 0, err
	}
	// Names whose waiters were just blocked come first: they may block others.
	names := s.blocked.some(lookAtOnce)
	if len(names) > 0 {
		if again, err = s.lookAt(ctx, names); err != nil {
			return again, err
		}
	}
	if err := s.check(ctx, s.blocked.takeChecks()); err != nil {
		s.blocked.checkAll()
		return 0, err
	}
	if len(names) > 0 {
		return again, nil
	}
	return s.lookAt(ctx, s.blocked.some(lookAtOnce))
}

// unread is the cursor of a reader that has read nothing yet: earlier entries don't matter.
const unread uint64 = math.MaxInt64

// readOn reads the log from a cursor on, and moves it.
func (s *Store) readOn(ctx context.Context, after *uint64) error {
	for {
		pages, err := s.engine.Log(ctx, kv.LogQuery{After: *after, Limit: lookPage})
		if err != nil {
			return fail(err)
		}
		page := pages[0]
		for _, row := range page.Entries {
			if e, err := entryOf(row); err == nil { // otherwise the sweep settles the name
				s.blocked.changed(&e)
			}
		}
		if n := len(page.Entries); n == lookPage {
			*after = page.Entries[n-1].Number
			continue
		}
		if *after < page.Floor || *after > page.Last { // entries were pruned, or the database lost its last ones
			s.blocked.checkAll()
		}
		*after = page.Last
		return nil
	}
}

// check reads names in the way, and finds out whether they still are.
func (s *Store) check(ctx context.Context, names []string) error {
	for some := range slices.Chunk(names, dueAtOnce) {
		var reads []kv.Range
		for _, name := range some {
			reads = append(reads,
				kv.Range{Key: holdKey(name)},
				kv.Range{Prefix: sharedKeys(name), Limit: 2}, // two holds block every session
				kv.Range{Prefix: waiterKeys(name), Limit: 1, Brief: true})
		}
		answer, err := s.engine.Read(ctx, reads...)
		if err != nil {
			return fail(err)
		}
		for i, name := range some {
			found := answer.Found[3*i : 3*i+3]
			var holders []string
			for _, row := range slices.Concat(found[0].Rows, found[1].Rows) {
				if isGate(&row) {
					continue
				}
				rec, err := decodeRecord(name, &row)
				if err != nil {
					return err
				}
				holders = append(holders, rec.Holder.Session)
			}
			var first *kv.Row
			if len(found[2].Rows) > 0 {
				first = &found[2].Rows[0]
			}
			s.blocked.checked(name, holders, first)
		}
	}
	return nil
}

// lookAt settles names. again is how soon to look again at those of them that others
// changed meanwhile.
func (s *Store) lookAt(ctx context.Context, names []stuck) (again time.Duration, err error) {
	unsure, ways := make(map[string]bool), make(map[string]way)
	defer func() {
		if err != nil {
			for _, st := range names {
				unsure[st.name] = true
			}
		}
		s.blocked.looked(names, ways, unsure)
	}()
	if len(names) == 0 {
		return 0, nil
	}
	all := make([]string, len(names))
	for i := range names {
		all[i] = names[i].name
	}
	out, err := s.settle(ctx, all, func(string) bool { return true })
	if err != nil {
		return 0, err
	}
	for _, st := range out.blocked {
		ways[st.name] = st.way
	}
	for _, name := range out.unsure {
		unsure[name], again = true, guardedSweep
	}
	err = s.commitAll(ctx, out.jobs, func(j *job) {
		if j.answer.Guarded {
			again = guardedSweep
		}
		if !j.answer.Done {
			unsure[j.names[0]] = true
		}
	})
	return again, err
}

// commitAll commits jobs. Those that don't depend on each other's names share a commit.
func (s *Store) commitAll(ctx context.Context, jobs []*job, done func(*job)) error {
	most := max(1, s.engine.Limits().Txns)
	for len(jobs) > 0 {
		b := overlap{changed: make(map[string]bool), used: make(map[string]bool)}
		var batch, rest []*job
		var txns []kv.Txn
		for _, j := range jobs {
			if len(batch) == most || !b.add(j) {
				rest = append(rest, j)
				continue
			}
			batch, txns = append(batch, j), append(txns, j.txn)
		}
		answers, err := s.engine.Commit(ctx, txns)
		if err != nil {
			return fail(err)
		}
		for i, j := range batch {
			j.answer = answers[i]
			done(j)
		}
		jobs = rest
	}
	return nil
}

// job returns the job of a transaction on the name of the lookup.
func (l *lookup) job(txn kv.Txn) *job { return &job{names: []string{l.name}, uses: uses(l), txn: txn} }

// uses returns the names and keys that a transaction on a name depends on beside it.
func uses(l *lookup) []string {
	root := store.Tree(l.name)
	if root == "" {
		return nil
	}
	return append([]string{treeKey(root)}, above(l.name, l.tree)...)
}
