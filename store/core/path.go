package core

import (
	"slices"
	"strings"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// behindOwn returns the key that comes after the rows of a node itself, and before those
// of names below it.
func behindOwn(prefix, below string) string {
	if !strings.HasSuffix(below, "/") {
		return ""
	}
	return prefix + below + kv.Separator + "g" // numbers are hexadecimal
}

// belowWindow is how many holds below a name are read at most. Many may wait below,
// each with a closed gate.
const belowWindow = 10 * deepWindow

// kinds returns the kinds that are read on the path. The kind of the name itself is one
// of them, although no name of its kind may be in use yet: others may block it.
func (l *lookup) kinds() string {
	if kind := treeKinds(l.name); !strings.Contains(l.tree, kind) {
		return l.tree + kind
	}
	return l.tree
}

// pathRanges adds the ranges that read the path.
func (l *lookup) pathRanges(to []kv.Range) []kv.Range {
	for _, name := range above(l.name, l.kinds()) {
		node := lookup{name: name, wide: true, session: l.waits}
		to = node.ranges(to)
	}
	if b := below(l.name, l.kinds()); b != "" {
		most := store.MaxHolders
		if l.deep {
			most = belowWindow
		}
		holds := kv.Range{Prefix: holdKey(b), After: behindOwn(holdPrefix, b), Limit: most, Count: true}
		dead := kv.Range{Prefix: holdKey(b), After: holds.After, Limit: most, Overdue: true}
		to = append(to, holds, dead, kv.Range{Prefix: waiterPrefix + b, After: behindOwn(waiterPrefix, b), Brief: true})
		if l.waits != "" {
			to = append(to, kv.Range{Prefix: holds.Prefix, After: holds.After, Tag: sessionTag(l.waits), Limit: 1})
		}
	}
	return to
}

// path is the holds and waiters above and below a place.
type path struct {
	above []*place
	below string // the prefix of the names below; empty: there are none

	// rows are live holds and gates below. recs[i] is the record in rows[i], nil for a
	// gate. more counts the other rows.
	rows  []kv.Row
	recs  []*store.Record
	more  int
	dead  []kv.Row        // holds below that are due
	died  []*store.Record // the records in them
	gates []kv.Row        // closed gates below that are due
	lost  int             // 1 if more are due than were read
	wait  *store.Waiter   // the earliest waiter below, without its value
}

// readPath returns the path that its ranges found, and what is left of found.
func (l *lookup) readPath(found []kv.Found) (p *path, rest []kv.Found, err error) {
	p = &path{below: below(l.name, l.kinds())}
	for _, name := range above(l.name, l.kinds()) {
		var at *place
		node := lookup{name: name, wide: true, session: l.waits}
		if at, found, err = node.read(found); err != nil {
			return nil, nil, err
		}
		p.above = append(p.above, at)
	}
	if p.below == "" {
		return p, found, nil
	}
	live, dead, waiters, rest := found[0], found[1], found[2], found[3:]
	if l.waits != "" {
		for _, own := range rest[0].Rows { // it may stand behind those read
			if !slices.ContainsFunc(live.Rows, func(r kv.Row) bool { return r.Key == own.Key }) {
				live.Rows = append(slices.Clip(live.Rows), own)
			}
		}
		rest = rest[1:]
	}
	return p, rest, p.readBelow(live, dead, waiters, l.deep)
}

func (p *path) readBelow(live, dead, waiters kv.Found, deep bool) (err error) {
	p.rows, p.more = live.Rows, live.Count-len(live.Rows)
	for i := range dead.Rows {
		row := &dead.Rows[i]
		if isGate(row) { // in nobody's way
			p.gates = append(p.gates, *row)
			continue
		}
		rec, err := decodeRecord(heldName(row.Key), row)
		if err != nil {
			return err
		}
		p.dead, p.died = append(p.dead, *row), append(p.died, rec)
	}
	if !deep && len(dead.Rows) == store.MaxHolders || len(dead.Rows) == belowWindow {
		p.lost = 1
	}
	p.recs = make([]*store.Record, len(p.rows))
	for i := range p.rows {
		if row := &p.rows[i]; !isGate(row) {
			if p.recs[i], err = decodeRecord(heldName(row.Key), row); err != nil {
				return err
			}
		}
	}
	for i := range waiters.Rows {
		if row := &waiters.Rows[i]; p.wait == nil || row.Rev < p.wait.Seq {
			p.wait = &store.Waiter{
				ID: row.Data, Name: heldName(row.Key), Seq: row.Rev, Process: strings.TrimPrefix(row.Lease, processPrefix), Since: row.At,
			}
		}
	}
	return nil
}

// state returns the path as the rules see it. An expired hold blocks others until its
// name is settled.
func (p *path) state(env store.Env) *store.Path {
	out := &store.Path{More: p.more + p.lost}
	for _, at := range p.above {
		holds := at.shared
		if at.rec != nil {
			holds = append(holds, at.rec)
		}
		for _, rec := range holds {
			if rec.Live(env.Now) {
				out.Above = append(out.Above, rec)
			} else {
				out.Dead = append(out.Dead, rec)
			}
		}
		out.More += at.more
		if at.rotten {
			out.More++
		}
		if len(at.queue) > 0 {
			out.Waits = append(out.Waits, at.queue[0])
		}
	}
	for _, rec := range p.recs {
		if rec != nil {
			out.Below = append(out.Below, rec)
		}
	}
	out.Dead = append(out.Dead, p.died...)
	if p.wait != nil {
		out.Waits = append(out.Waits, *p.wait)
	}
	return out
}

// littered reports whether more holds below have expired than were read.
func (p *place) littered() bool { return p.path != nil && p.path.lost > 0 }

// far reports whether more must be read to know whether the first waiter may have the
// name.
func (p *place) far() bool {
	return p.path != nil && len(p.queue) > 0 && p.path.narrow(p.queue[0].Holder.Session, "")
}

// narrow reports whether more must be read to know whether others hold names below: all
// holds that were read are those of the session or, if user is given, of the user.
func (p *path) narrow(session, user string) bool {
	if p.more+p.lost == 0 || session == "" {
		return false
	}
	for _, rec := range slices.Concat(p.recs, p.died) {
		if rec != nil && rec.Holder.Session != session && (user == "" || rec.Holder.User != user) {
			return false
		}
	}
	return true
}
