package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// lookup says what to read of a name.
type lookup struct {
	name    string
	waiter  string // the waiter that an operation is about; empty: none
	session string // the session whose hold an operation may be about; empty: none
	waits   string // the session that joins, which must hold nothing on the path; empty: none
	token   uint64 // the hold that an operation may be about; 0: none
	wide    bool   // also several holds
	deep    bool   // up to deepWindow holds and waiters

	tree string // kinds of its tree that are in use, as far as is known
	root bool   // also the kinds
	tall bool   // also the path
	asks bool   // also the first waiters for names above
}

// deepWindow is how many holds, and how many waiters, of a name are read at most.
// deadWindow is how many expired holds are.
const (
	deepWindow = 1000
	deadWindow = 200
)

// drains returns the names above whose first waiter is read.
func (l *lookup) drains() []string {
	if !l.asks || l.tall {
		return nil
	}
	return above(l.name, l.tree)
}

// lookupOf returns what an operation must read of its name.
func lookupOf(sw *store.Op, wide, deep bool) lookup {
	l := lookup{name: sw.Name, token: sw.Expect.Token, wide: wide || deep, deep: deep}
	if sw.Waiter != nil {
		l.waiter = sw.Waiter.ID
		l.session = sw.Waiter.Holder.Session
	}
	if sw.Holder != nil && sw.Do == store.Acquire {
		l.session = sw.Holder.Session
	}
	if x := sw.Expect.Session; x != nil {
		l.session = *x
	}
	l.asks = sw.Do == store.Renew
	if sw.Do == store.Join {
		l.waits = sw.Waiter.Holder.Session
	}
	return l
}

// ranges adds the ranges that read a place. The first two are enough for a hold that is
// Alone, and the waiters.
func (l *lookup) ranges(to []kv.Range) []kv.Range {
	waiters, most := waiterKeys(l.name), store.MaxWaiters
	if l.deep {
		most = deepWindow
	}
	to = append(to, kv.Range{Key: holdKey(l.name)}, kv.Range{Prefix: waiters, Limit: most, Count: true})
	if l.waiter != "" {
		to = append(to, kv.Range{Prefix: waiters, Tag: waiterTag(l.waiter), Limit: 1})
	}
	if l.root && store.Tree(l.name) != "" {
		to = append(to, kv.Range{Key: treeKey(store.Tree(l.name))})
	}
	if l.tall {
		to = l.pathRanges(to)
	}
	for _, node := range l.drains() {
		to = append(to, kv.Range{Prefix: waiterKeys(node), Limit: 1})
	}
	if !l.wide {
		return to
	}
	shared := sharedKeys(l.name)
	to = append(to,
		kv.Range{Prefix: shared, Limit: most, Count: true},
		kv.Range{Prefix: shared, Overdue: true, Limit: deadWindow + 1})
	if l.session != "" {
		to = append(to, kv.Range{Prefix: shared, Tag: sessionTag(l.session), Limit: 1, Count: true})
	}
	if l.token != 0 { // one that was moved is the oldest
		to = append(to, kv.Range{Key: sharedKey(l.name, l.token)})
	}
	return to
}

// place is the state of one name: as read at one moment, or as assumed before anything
// is read. Its conditions make the database check that it is unchanged.
type place struct {
	name string
	wide bool

	// The rows of holds, and the records in them. rows[i] has shared[i].
	hold   *kv.Row // the hold that is Alone; nil: none
	rec    *store.Record
	gate   *kv.Row // in place of hold; nil: none
	rows   []kv.Row
	shared []*store.Record
	more   int  // live holds that are not in rows
	own    int  // live holds of the lookup's session, in rows or not
	rotten bool // more have expired than were read

	// queue holds the first live waiters, and the one that an operation is about.
	queue []store.Waiter
	rest  int // live waiters that are not in queue

	// assumed holds the conditions of a place that was not read.
	assumed []kv.Cond

	tree  string // kinds of its tree that are in use, as far as is known
	other bool   // the row of the tree has other kinds
	kinds string
	path  *path // nil: it was not read

	drains []store.Waiter // the first waiter for each name above, without a path
}

// state returns the place as the rules see it, without its path.
func (p *place) state() store.State {
	share, _ := shareOf(p.gate) // read before
	return store.State{
		Record: p.rec, Shared: p.shared, More: p.more, Share: share, Queue: p.queue, Rest: p.rest, Tree: p.tree != "",
	}
}

// on returns the state with its path, if that was read.
func (p *place) on(now time.Time) store.State {
	s := p.state()
	if p.path != nil {
		s.Path = p.path.state(living(now))
	}
	return s
}

// tells sets Drains of a record: the earliest waiter for a name above.
func (p *place) tells(rec *store.Record) *store.Record {
	if rec == nil {
		return nil
	}
	waits := p.drains
	if p.path != nil {
		for _, at := range p.path.above {
			waits = append(waits, at.queue[:min(1, len(at.queue))]...)
		}
	}
	for i := range waits {
		if rec.Drains == nil || waits[i].Seq < rec.Drains.Seq {
			rec.Drains = &waits[i]
		}
	}
	return rec
}

// closed reports whether a state is free, and has waiters.
func closed(s *store.State) bool {
	return s.Record == nil && len(s.Shared) == 0 && s.More == 0 && (len(s.Queue) > 0 || s.Rest > 0)
}

// unclear reports whether the place must be read again, wide, to be known.
func (p *place) unclear() bool { return p.gate != nil && !p.wide }

// narrow reports whether more of the place must be read to settle it: the GrantAt of the
// first waiter has passed, and there are more holds than were read.
func (p *place) narrow(now time.Time) bool {
	return p.more > 0 && len(p.queue) > 0 && !p.queue[0].GrantAt.IsZero() && !now.Before(p.queue[0].GrantAt)
}

// read returns the place that its ranges found, and what is left of found.
func (l *lookup) read(found []kv.Found) (*place, []kv.Found, error) {
	p := &place{name: l.name, wide: l.wide, tree: l.tree}
	next := func() (f kv.Found) {
		if len(found) > 0 { // a message carries the first ones only
			f, found = found[0], found[1:]
		}
		return f
	}
	if rows := next().Rows; len(rows) > 0 {
		if err := p.readHold(&rows[0]); err != nil {
			return nil, nil, err
		}
	}
	if err := p.readQueue(next(), l.waiter, next); err != nil {
		return nil, nil, err
	}
	if l.root && store.Tree(l.name) != "" {
		if rows := next().Rows; len(rows) > 0 {
			p.kinds = rows[0].Data
		}
		p.other = p.kinds != l.tree
	}
	if l.tall {
		var err error
		if p.path, found, err = l.readPath(found); err != nil {
			return nil, nil, err
		}
	}
	for _, node := range l.drains() {
		queue, err := decodeQueue(node, next().Rows)
		if err != nil {
			return nil, nil, err
		}
		p.drains = append(p.drains, queue...)
	}
	if !l.wide {
		return p, found, nil
	}
	live, dead := next(), next()
	if p.rotten = len(dead.Rows) > deadWindow; p.rotten {
		dead.Rows = dead.Rows[:deadWindow]
	}
	all := [][]kv.Row{live.Rows, dead.Rows}
	if l.session != "" {
		own := next()
		all, p.own = append(all, own.Rows), own.Count
	}
	if l.token != 0 {
		if one := next(); !p.rotten { // else it may have died, too
			all = append(all, one.Rows)
		}
	}
	p.rows = slices.Concat(all...)
	slices.SortFunc(p.rows, func(a, b kv.Row) int { return strings.Compare(a.Key, b.Key) })
	p.rows = slices.CompactFunc(p.rows, func(a, b kv.Row) bool { return a.Key == b.Key })
	p.more = live.Count - (len(p.rows) - len(dead.Rows))
	p.shared = make([]*store.Record, len(p.rows))
	for i := range p.rows {
		var err error
		if p.shared[i], err = decodeRecord(p.name, &p.rows[i]); err != nil {
			return nil, nil, err
		}
	}
	return p, found, nil
}

// readHold reads the row of the name itself.
func (p *place) readHold(row *kv.Row) (err error) {
	if isGate(row) {
		p.gate = row
		if _, err = shareOf(row); err != nil {
			return fmt.Errorf("gate of %q: %w", p.name, err)
		}
		return nil
	}
	p.hold = row
	p.rec, err = decodeRecord(p.name, row)
	return err
}

// readQueue reads the first waiters, and the waiter that an operation is about.
func (p *place) readQueue(waiters kv.Found, waiter string, next func() kv.Found) (err error) {
	if p.queue, err = decodeQueue(p.name, waiters.Rows); err != nil {
		return err
	}
	if waiter != "" {
		if rows := next().Rows; len(rows) > 0 {
			if n := len(p.queue); n > 0 && rows[0].Rev > p.queue[n-1].Seq { // it is behind those read
				t, err := waiterOf(p.name, &rows[0])
				if err != nil {
					return err
				}
				p.queue = append(p.queue, t)
			}
		}
	}
	p.rest = waiters.Count - len(p.queue)
	return nil
}

func decodeRecord(name string, row *kv.Row) (*store.Record, error) {
	rec := &store.Record{
		Name: name, Token: row.Rev, Data: row.Data, Terms: store.Terms{Idle: row.TTL, MaxHold: row.Max},
		Acquired: row.At, Renewed: row.Seen, Expires: row.Due,
	}
	if err := decodeHold(rec, row.Value); err != nil {
		return nil, fmt.Errorf("hold of %q: %w", name, err)
	}
	return rec, nil
}

func decodeQueue(name string, rows []kv.Row) ([]store.Waiter, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	queue := make([]store.Waiter, len(rows), len(rows)+1)
	for i := range rows {
		t, err := waiterOf(name, &rows[i])
		if err != nil {
			return nil, err
		}
		queue[i] = t
	}
	return queue, nil
}

func waiterOf(name string, row *kv.Row) (store.Waiter, error) {
	t, err := decodeWaiter(row.Value, row.Rev)
	if err != nil {
		return t, fmt.Errorf("waiter for %q: %w", name, err)
	}
	t.ID, t.Name, t.Process, t.Since = row.Data, name, strings.TrimPrefix(row.Lease, processPrefix), row.At
	if t.GrantAfter > 0 {
		t.GrantAt = row.At.Add(t.GrantAfter).Truncate(time.Microsecond)
	}
	return t, nil
}

// everybody says that all waiters of a place are live: engines return no others.
func everybody(string) bool { return true }

func living(now time.Time) store.Env { return store.Env{Now: now, Alive: everybody} }

// waiter returns the waiter with this ID; nil: there is none.
func (p *place) waiter(id string) *store.Waiter {
	for i := range p.queue {
		if p.queue[i].ID == id {
			return &p.queue[i]
		}
	}
	return nil
}

// claimed returns the GrantAt of the first waiter for a held name if it has passed;
// otherwise zero.
func (p *place) claimed(now time.Time) time.Time {
	if len(p.queue) == 0 || !p.held(now) {
		return time.Time{}
	}
	s := p.state().Live(now)
	if claim := s.GrantAt(&p.queue[0]); !now.Before(claim) {
		return claim
	}
	return time.Time{}
}

// held reports whether the name is held, or may be.
func (p *place) held(now time.Time) bool {
	return p.more > 0 || p.rotten || p.rec.Live(now) || slices.ContainsFunc(p.shared, func(r *store.Record) bool { return r.Live(now) })
}
