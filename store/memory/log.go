package memory

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// log is the log of an engine, in the order of numbers.
type log struct {
	entries []entry
	floor   uint64              // entries up to this number are removed
	tags    map[string][]uint64 // numbers of entries by their tags
	done    map[string]time.Time
	ids     []string // of done, oldest first
}

type entry struct {
	kv.Logged
	tags []string
}

func newLog() log {
	return log{tags: make(map[string][]uint64), done: make(map[string]time.Time)}
}

// knows reports whether a transaction with this ID was logged within the
// window.
func (l *log) knows(id string, now time.Time) bool {
	at, ok := l.done[id]
	return ok && now.Sub(at) < kv.Window
}

// add appends entries; before is the number before the first one drawn.
func (l *log) add(entries []kv.Entry, before uint64, now time.Time) {
	for i := range entries {
		in := &entries[i]
		number := before + uint64(in.Number)
		l.entries = append(l.entries, entry{kv.Logged{Number: number, At: now, Value: in.Value}, in.Tags})
		for _, tag := range in.Tags {
			l.tags[tag] = append(l.tags[tag], number)
		}
		if in.ID != "" {
			l.done[in.ID] = now
			l.ids = append(l.ids, in.ID)
		}
	}
}

func byNumber(e entry, n uint64) int { return cmp.Compare(e.Number, n) }

// Log implements kv.Engine.
func (e *Engine) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	now, err := e.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer e.mu.Unlock()
	pages := make([]kv.LogPage, len(queries))
	for i, q := range queries {
		pages[i] = kv.LogPage{Entries: e.log.find(q), Floor: e.log.floor, Last: e.last, Now: now}
	}
	return pages, nil
}

func (l *log) find(q kv.LogQuery) (found []kv.Logged) {
	before := q.Before
	if before == 0 {
		before = math.MaxUint64
	}
	at := func(i int) entry { return l.entries[i] }
	from, _ := slices.BinarySearchFunc(l.entries, q.After+1, byNumber)
	to, _ := slices.BinarySearchFunc(l.entries, before, byNumber)
	if q.Tag != "" {
		numbers := l.tags[q.Tag]
		from, _ = slices.BinarySearch(numbers, q.After+1)
		to, _ = slices.BinarySearch(numbers, before)
		at = func(i int) entry {
			n, _ := slices.BinarySearchFunc(l.entries, numbers[i], byNumber)
			return l.entries[n]
		}
	}
	for i := range min(q.Limit, max(0, to-from)) {
		if q.Newest {
			found = append(found, at(to-1-i).Logged)
		} else {
			found = append(found, at(from+i).Logged)
		}
	}
	return found
}

// Trim implements kv.Engine.
func (e *Engine) Trim(ctx context.Context, keep kv.Keep) error {
	now, err := e.enter(ctx)
	if err != nil {
		return err
	}
	defer e.mu.Unlock()
	l, young, n := &e.log, now.Add(-kv.Window), 0
	for n < len(l.entries) && l.entries[n].At.Before(young) &&
		(l.entries[n].At.Before(keep.Before) ||
			keep.MaxEntries > 0 && int64(len(l.entries)-n) > keep.MaxEntries) {
		l.floor = l.entries[n].Number
		for _, tag := range l.entries[n].tags {
			if l.tags[tag] = l.tags[tag][1:]; len(l.tags[tag]) == 0 {
				delete(l.tags, tag)
			}
		}
		n++
	}
	l.entries = slices.Delete(l.entries, 0, n)
	n = 0
	for n < len(l.ids) && !l.done[l.ids[n]].After(young) {
		delete(l.done, l.ids[n])
		n++
	}
	l.ids = slices.Delete(l.ids, 0, n)
	return nil
}
