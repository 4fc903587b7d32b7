package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// KeepAlive implements store.Store.
func (s *Store) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	if ttl < time.Millisecond { // one of 0 would never end
		return nil, fmt.Errorf("keep-alive: ttl %v is below the minimum of 1ms", ttl)
	}
	key := processKey(process)
	read := []kv.Range{{Key: key}, {Lease: key, Prefix: waiterPrefix, Brief: true}}
	txn := kv.Txn{
		If: []kv.Cond{{Key: key}}, Then: []kv.Write{{Key: key, Renew: true, TTL: ttl}}, Read: read,
	}
	for {
		answer, err := s.commits.do(ctx, []string{key}, nil, txn)
		if err != nil {
			return nil, err
		}
		found := answer.Found
		if answer.Done {
			ids := make([]string, len(found[1].Rows))
			for i := range found[1].Rows {
				ids[i] = found[1].Rows[i].Data
			}
			return ids, nil
		}
		// The process is new, or its lease has expired. A row that replaces an expired
		// one removes the waiters that were leased to it.
		rows := found[0].Rows
		dead := len(rows) > 0 && !rows[0].Live(answer.Now)
		txn.If = []kv.Cond{{Key: key, Absent: len(rows) == 0, Dead: dead}}
		txn.Then, txn.Messages = []kv.Write{{Key: key, TTL: ttl, Renew: len(rows) > 0 && !dead}}, nil
		if dead {
			txn.Messages = []kv.Message{{To: leftTo}}
		}
	}
}

const (
	// dueAtOnce is how many due rows are read together.
	dueAtOnce = 200
	// sweepRounds bounds one sweep, so that it ends although more rows become due.
	sweepRounds = 50
	// guardedSweep is when a sweep looks again at names that are guarded.
	guardedSweep = 100 * time.Millisecond
)

// Sweep implements store.Store.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	due := time.Duration(0)
	for range sweepRounds {
		answer, err := s.engine.Read(ctx, kv.Range{Due: true, Limit: dueAtOnce, Brief: true})
		if err != nil {
			return 0, fail(err)
		}
		rows := answer.Found[0].Rows
		if len(rows) == 0 {
			due = -1
			break
		}
		if due = rows[0].Due.Sub(answer.Now); due > 0 {
			break
		}
		due = 0
		guarded, err := s.end(ctx, rows, answer.Now)
		if err != nil {
			return 0, err
		}
		if guarded {
			due = guardedSweep
			break
		}
	}
	if keep != (store.Retention{}) {
		if err := s.engine.Trim(ctx, kv.Keep(keep)); err != nil {
			return 0, fail(err)
		}
	}
	return due, nil
}

// end settles the names of rows that are due, and removes the rows of processes that
// are. It reports whether guards kept it from doing anything.
func (s *Store) end(ctx context.Context, rows []kv.Row, now time.Time) (guarded bool, err error) {
	var names []string
	var jobs []*job
	seen, closed := make(map[string]bool), make(map[string]bool)
	for i := range rows {
		if rows[i].Live(now) {
			break
		}
		if name := dueName(rows[i].Key); name == "" {
			jobs = append(jobs, &job{names: []string{rows[i].Key}, txn: kv.Txn{
				If:       []kv.Cond{{Key: rows[i].Key, Dead: true}},
				Then:     []kv.Write{{Key: rows[i].Key, Delete: true}},
				Messages: []kv.Message{{To: leftTo}},
			}})
		} else {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
			if rows[i].Key == holdKey(name) && rows[i].Data == closedData {
				closed[name] = true // a gate, most likely: its path matters
			}
		}
	}
	if len(names) > 0 {
		out, err := s.settle(ctx, names, func(name string) bool { return closed[name] })
		if err != nil {
			return false, err
		}
		jobs = append(jobs, out.jobs...)
	}
	// The next round finds what is still due because others changed it meanwhile.
	done := false
	err = s.commitAll(ctx, jobs, func(j *job) {
		done = done || j.answer.Done
		guarded = guarded || j.answer.Guarded
	})
	return guarded && !done, err
}

// settled is the result of settle: transactions that settle one name each.
type settled struct {
	jobs    []*job
	blocked []stuck  // names with a blocked waiter although there is room
	unsure  []string // names that were not settled
}

// settle returns the transactions that settle names. The path of a name for which tall
// is true is read with it at once.
func (s *Store) settle(ctx context.Context, names []string, tall func(name string) bool) (out settled, err error) {
	lookups := make([]lookup, len(names))
	for i, name := range names {
		tree := s.trees.of(name)
		lookups[i] = lookup{name: name, wide: true, tree: tree, root: true, tall: tree != "" && tall(name)}
	}
	for range settleTries {
		again, err := s.settleBy(ctx, lookups, &out)
		if err != nil || len(again) == 0 {
			return out, err
		}
		lookups = again
	}
	for i := range lookups {
		out.unsure = append(out.unsure, lookups[i].name)
	}
	return out, nil
}

// settleTries is how often more of a name is read to settle it: all its holds and
// waiters, the kinds of its tree, and its path.
const settleTries = 4

// settleBy adds the transactions that settle names by what is read of them. Again are
// the lookups that were not deep enough.
func (s *Store) settleBy(ctx context.Context, lookups []lookup, out *settled) (again []lookup, err error) {
	reads := []kv.Range{{Prefix: processPrefix, Brief: true}}
	for i := range lookups {
		reads = lookups[i].ranges(reads)
		reads = append(reads,
			kv.Range{Prefix: alarmKeys(lookups[i].name), Overdue: true},
			kv.Range{Prefix: bellKeys(lookups[i].name), Overdue: true})
	}
	once, index := distinct(reads) // many have the same names above
	answer, err := s.engine.Read(ctx, once...)
	if err != nil {
		return nil, fail(err)
	}
	found := make([]kv.Found, len(reads))
	for i := range found {
		found[i] = answer.Found[index[i]]
	}
	lives := make(map[string]time.Time)
	for _, row := range found[0].Rows {
		lives[strings.TrimPrefix(row.Key, processPrefix)] = row.Due
	}
	found = found[1:]
	for i := range lookups {
		var at *place
		if at, found, err = lookups[i].read(found); err != nil {
			return nil, err
		}
		rung := slices.Concat(found[0].Rows, found[1].Rows)
		found = found[2:]
		s.trees.saw(at.name, at.kinds)
		p := newPlan([]*place{at}, lookups[i:i+1], answer.Now)
		p.settle()
		far := p.effects.Far || len(at.queue) > 0 && lookups[i].tree != ""
		if one := lookups[i : i+1]; widen(one, []*place{at}) || far && heighten(one) || (p.short() || at.far()) && deepen(one) {
			again = append(again, lookups[i])
			continue
		}
		out.blocked = append(out.blocked, p.blocked()...)
		txn := p.transaction(store.Txn{})
		if len(txn.Messages) == 0 {
			txn.Read = nil // nobody asks
		}
		p.quiet(&txn, at, rung, lives)
		if len(txn.Then) > 0 {
			out.jobs = append(out.jobs, lookups[i].job(txn))
		}
	}
	return again, nil
}

// distinct returns ranges without duplicates, and the index of each in the result.
func distinct(ranges []kv.Range) (once []kv.Range, index []int) {
	at := make(map[kv.Range]int, len(ranges))
	index = make([]int, len(ranges))
	for i, r := range ranges {
		place, known := at[r]
		if !known {
			place = len(once)
			at[r], once = place, append(once, r)
		}
		index[i] = place
	}
	return once, index
}

// quiet adds the writes of alarms and bells that are due although nothing was granted:
// they are due again when the first waiter may be gone, or are removed. One that was
// removed meanwhile must not come back, hence the conditions.
func (p *plan) quiet(txn *kv.Txn, at *place, rung []kv.Row, lives map[string]time.Time) {
	if len(p.effects.Left) > 0 {
		return // the next sweep sees to the rest
	}
	var end time.Time // when the first waiter may be gone
	if len(at.queue) > 0 && (at.held(p.now) || closed(&p.after[0])) {
		end = lives[at.queue[0].Process]
		if soon := p.now.Add(closedFor); at.tree != "" && soon.Before(end) {
			end = soon
		}
	}
	state := at.state()
	for i := range rung {
		key := rung[i].Key
		place := slices.IndexFunc(at.queue, func(t store.Waiter) bool {
			return alarmKey(at.name, t.Seq) == key || bellKey(at.name, t.Seq) == key
		})
		keep := !end.IsZero()
		if keep && place >= 0 {
			t := &at.queue[place]
			if bell := strings.HasPrefix(key, bellPrefix); bell {
				keep = place > 0 || at.tree != ""
			} else { // one of several holds may stand in the way for now
				keep = t.Share != store.Alone || at.wide && at.gate != nil || !state.GrantAt(t).IsZero()
			}
		}
		txn.If = append(txn.If, kv.Cond{Key: key, Dead: true})
		if keep {
			txn.Then = append(txn.Then, kv.Write{Key: key, Renew: true, TTL: -1, Max: max(time.Microsecond, end.Sub(rung[i].At))})
		} else {
			txn.Then = append(txn.Then, kv.Write{Key: key, Delete: true})
		}
	}
}
