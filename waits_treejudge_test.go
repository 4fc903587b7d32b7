package editlock_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
	"github.com/editlock/editlock/store/memory"
)

// judgedEngine is the way of one process to the database. It is cut where that of its
// Manager is, so that nothing goes on in the background either.
type judgedEngine struct {
	*memory.Engine
	judge *treeJudge
	wire  *wire
	alter func(txn *kv.Txn) // plants a bug; may be nil
}

// cut reports whether the way is cut, as it is at the end of a story that went wrong.
// Who calls over and over at one moment would never end: then a call takes time.
func (e *judgedEngine) cut() (is bool) {
	if e.judge.again() {
		time.Sleep(time.Millisecond)
		return true
	}
	e.wire.set(func() { is = e.wire.off })
	return is
}

func (e *judgedEngine) Commit(ctx context.Context, txns []kv.Txn) ([]kv.Answer, error) {
	if e.cut() {
		return nil, errCut
	}
	if e.alter != nil {
		txns = slices.Clone(txns)
		for i := range txns {
			txns[i].If, txns[i].Then = slices.Clone(txns[i].If), slices.Clone(txns[i].Then)
			e.alter(&txns[i])
		}
	}
	e.judge.mu.Lock()
	defer e.judge.mu.Unlock()
	e.judge.look() // what the clock did
	answers, err := e.Engine.Commit(ctx, txns)
	e.judge.look()
	return answers, err
}

func (e *judgedEngine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	if e.cut() {
		return kv.Answer{}, errCut
	}
	return e.Engine.Read(ctx, ranges...)
}

func (e *judgedEngine) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	if e.cut() {
		return nil, errCut
	}
	return e.Engine.Log(ctx, queries...)
}

// treeJudge looks at the rows of a tree after each transaction, and whenever time has
// passed. mu is the judge's.
type treeJudge struct {
	*judge
	coverage
	engine *memory.Engine
	looker *core.Store   // of the judge's own
	stores []*core.Store // of all processes, to be closed

	seen    sight
	moment  time.Time
	calls   int                      // of the database at that moment
	first   map[uint64]*store.Record // each hold as it began, by token
	last    map[string]uint64        // the newest token of each name
	ever    map[string]string        // each session that ever waited, with the name
	leaving map[string]bool          // waiters who are ended by somebody
	open    map[string]time.Time     // since when a waiter may have its name
}

// sight is what stands in the database at one moment.
type sight struct {
	now       time.Time
	holds     []*store.Record
	waiters   map[string]*store.Waiter // by ID
	processes map[string]kv.Row
}

func (j *treeJudge) init(of *judge, e *memory.Engine) {
	j.judge, j.engine, j.looker = of, e, core.New(e)
	j.stores = append(j.stores, j.looker)
	j.first, j.last, j.ever = make(map[uint64]*store.Record), make(map[string]uint64), make(map[string]string)
	j.leaving, j.open = make(map[string]bool), make(map[string]time.Time)
}

// watch looks five times a second, until over is closed.
func (j *treeJudge) watch(over, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case <-over:
			return
		case <-time.After(200 * time.Millisecond):
		}
		j.mu.Lock()
		j.look()
		j.mu.Unlock()
	}
}

// atOnce is how many calls of the database are made at one moment at most.
const atOnce = 2000

// again counts a call, and reports whether there are too many at this moment, or
// something else was wrong.
func (j *treeJudge) again() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if now := time.Now(); !now.Equal(j.moment) {
		j.moment, j.calls = now, 0
	}
	if j.calls++; j.calls > atOnce {
		j.fault("somebody calls the database over and over")
	}
	return j.wrong != ""
}

func (j *treeJudge) leaves(waiter string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.leaving[waiter] = true
}

// related reports whether one name is above the other.
func related(a, b string) bool { return store.IsAbove(a, b) || store.IsAbove(b, a) }

// read is what stands in the database. The caller holds mu.
func (j *treeJudge) read() (s sight) {
	ctx := context.Background()
	s.waiters, s.processes = make(map[string]*store.Waiter), make(map[string]kv.Row)
	for _, id := range treeIDs {
		view, err := j.looker.Get(ctx, id.String(), "")
		if err != nil {
			j.fault("the judge can't look: %v", err)
			return s
		}
		s.now = view.Now
		var queue []store.Waiter
		if view.Record != nil {
			s.holds = append(append(s.holds, view.Record), view.Record.Others...)
			queue = view.Record.Waiters
		} else if view.Path != nil {
			queue = view.Path.Waits
		}
		for _, w := range queue {
			if w.Name == id.String() {
				s.waiters[w.ID] = &w
			}
		}
	}
	answer, err := j.engine.Read(ctx, kv.Range{Prefix: "p"})
	if err != nil {
		j.fault("the judge can't look: %v", err)
		return s
	}
	for _, row := range answer.Found[0].Rows {
		s.processes[strings.TrimPrefix(row.Key, "p")] = row
	}
	return s
}

// look compares what stands in the database with what stood there before. The caller
// holds mu.
func (j *treeJudge) look() {
	before := j.seen
	s := j.read()
	j.seen = s
	j.beside(&s)
	for _, rec := range s.holds {
		if j.first[rec.Token] == nil {
			j.begins(rec, &before, &s)
		}
	}
	for id, w := range before.waiters {
		if s.waiters[id] == nil {
			j.left(w, &before, &s)
		}
	}
	for id, w := range s.waiters {
		if before.waiters[id] == nil {
			j.tell("    %s waits for %s (%d)", w.Holder.Session, w.Name, w.Seq)
			j.ever[w.Holder.Session] = w.Name
			j.waits(w)
		}
	}
	j.served(&s)
}

// beside checks that nobody holds what another's hold keeps from them.
func (j *treeJudge) beside(s *sight) {
	for i, a := range s.holds {
		for _, b := range s.holds[:i] {
			switch {
			case a.Name == b.Name && (a.Share != b.Share || a.Share == store.Alone):
				j.fault("%s and %s hold %s", a.Holder.Session, b.Holder.Session, a.Name)
			case related(a.Name, b.Name) && a.Holder.Session != b.Holder.Session:
				j.fault("%s holds %s, and %s holds %s", a.Holder.Session, a.Name, b.Holder.Session, b.Name)
			case related(a.Name, b.Name):
				j.owns++
			}
		}
		if n := j.holding(s, a.Name); a.Share > 0 && n > int(a.Share) {
			j.fault("%d hold %s, which has the limit %d", n, a.Name, a.Share)
		}
	}
}

func (j *treeJudge) holding(s *sight, name string) (n int) {
	for _, rec := range s.holds {
		if rec.Name == name {
			n++
		}
	}
	return n
}

// begins checks a new hold: its token is larger than those before, and nobody waited
// longer for the name or on its path.
func (j *treeJudge) begins(rec *store.Record, before, s *sight) {
	j.tell("    %s holds %s by %d until %v", rec.Holder.Session, rec.Name, rec.Token, rec.Expires.Sub(j.begun))
	if last := j.last[rec.Name]; rec.Token <= last {
		j.fault("%s is given the token %d after %d", rec.Name, rec.Token, last)
	}
	j.last[rec.Name], j.first[rec.Token] = rec.Token, rec
	seq := rec.Token
	if w := before.waiters[rec.Request]; w != nil {
		seq = w.Seq
		j.grants(w)
	} else if j.replaces(rec, before, s) {
		j.takeovers++
		return
	}
	for _, own := range slices.Concat(before.holds, s.holds) {
		if own.Holder.Session == rec.Holder.Session && store.IsAbove(own.Name, rec.Name) {
			return // they do not wait for those who wait for them
		}
	}
	for id, w := range before.waiters {
		if w.Seq < seq && s.waiters[id] != nil && (w.Name == rec.Name || related(w.Name, rec.Name)) {
			j.fault("%s gets %s by %d (%d); %s waits for %s since %d", rec.Holder.Session, rec.Name, rec.Token, seq, w.Holder.Session, w.Name, w.Seq)
		}
	}
}

// replaces reports whether a hold took the place of another, without a wait.
func (j *treeJudge) replaces(rec *store.Record, before, s *sight) bool {
	return slices.ContainsFunc(before.holds, func(old *store.Record) bool {
		return old.Name == rec.Name && old.Live(s.now) && !slices.ContainsFunc(s.holds, func(r *store.Record) bool { return r.Token == old.Token })
	})
}

// left checks that a waiter who no longer waits was granted the name, or left, or
// died.
func (j *treeJudge) left(w *store.Waiter, before, s *sight) {
	delete(j.open, w.ID)
	process, lives := s.processes[w.Process]
	was := before.processes[w.Process]
	granted := slices.ContainsFunc(s.holds, func(r *store.Record) bool { return r.Request == w.ID })
	j.tell("    %s no longer waits for %s; granted: %v", w.Holder.Session, w.Name, granted)
	if granted || j.leaving[w.ID] || !lives || !process.Live(s.now) || process.Rev != was.Rev || !was.Live(s.now) {
		return
	}
	page, err := j.looker.Log(context.Background(), store.LogQuery{Name: w.Name, Request: w.ID, Kinds: []string{string(editlock.KindCaptured)}})
	if err != nil || len(page.Entries) == 0 {
		j.fault("%s lost its place for %s, %v", w.Holder.Session, w.Name, err)
	}
}

// servedWithin is how long a waiter may wait for nothing: as long as a closed gate
// stands, and a sweep.
const servedWithin = 6500 * time.Millisecond

// served checks that nobody waits for long without reason, unless both servers
// have troubles.
func (j *treeJudge) served(s *sight) {
	for id, w := range s.waiters {
		if !j.mayHave(w, s) || j.troubled(0, s.now.Add(-servedWithin), nil) && j.troubled(1, s.now.Add(-servedWithin), nil) {
			delete(j.open, id)
			continue
		}
		since, was := j.open[id]
		if !was {
			since = s.now
			j.open[id] = since
		}
		if s.now.Sub(since) > servedWithin {
			j.fault("%s waits for %s, and nothing is in the way since %v", w.Holder.Session, w.Name, since.Sub(j.begun))
		}
	}
}

// mayHave reports whether nothing keeps a waiter from its name.
func (j *treeJudge) mayHave(w *store.Waiter, s *sight) bool {
	above := false
	var agreed store.Share
	for _, rec := range s.holds {
		switch {
		case related(rec.Name, w.Name) && rec.Holder.Session != w.Holder.Session:
			return false
		case store.IsAbove(rec.Name, w.Name):
			above = true
		case rec.Name == w.Name:
			agreed = rec.Share
		}
	}
	for _, other := range s.waiters {
		if other.Seq < w.Seq && (other.Name == w.Name || !above && related(other.Name, w.Name)) {
			return false
		}
	}
	return w.Share.Room(agreed, j.holding(s, w.Name))
}

// got checks that the caller of a capture has what it was told.
func (j *treeJudge) got(session string, m editlock.Mutex) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s is told that it holds %s by %d", session, m.ID, m.Token)
	if rec := j.first[uint64(m.Token)]; rec == nil || rec.Name != m.ID.String() || rec.Holder.Session != session {
		j.fault("%s was told that it holds %s by %d; that is %+v", session, m.ID, m.Token, rec)
	}
}

// answered checks the error of a capture.
func (j *treeJudge) answered(session string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s is told %v", session, err)
	for _, allowed := range []error{editlock.ErrBusy, editlock.ErrLost} {
		if errors.Is(err, allowed) {
			return
		}
	}
	j.fault("%s is told %v", session, err)
}

// refused checks what a refusal tells.
func (j *treeJudge) refused(id editlock.ID, e *editlock.BusyError) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if name := e.Holder.ID.String(); name != id.String() && !related(name, id.String()) && e.Draining == nil {
		j.fault("%s is refused, as %s holds %s", id, e.Holder.Owner.Session, name)
	}
	if len(e.Holders) > store.MaxHolders || e.Total < len(e.Holders) && e.Total > 0 {
		j.fault("%s is refused, and told of %d holders of %d", id, len(e.Holders), e.Total)
	}
	if d := e.Draining; d != nil {
		j.drained++
		if j.ever[d.By.Session] != d.ID.String() || d.ID != id && !store.IsAbove(d.ID.String(), id.String()) {
			j.fault("%s is refused, as %s waits for %s, which is not so", id, d.By.Session, d.ID)
		}
	}
}
