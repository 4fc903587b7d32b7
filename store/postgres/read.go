package postgres

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/editlock/editlock/store/kv"
)

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// successor is the first key behind those that begin with prefix.
func successor(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return strings.Repeat("\xff", 64) // no key is like that
}

// Ways to find rows.
const (
	byKey = iota
	byTag
	byLease
	byDue
)

// wide, as a bit beside that of Count, is a range of keys that may be many: those of
// a group are few.
const wide = 2

// rangeOf adds the columns of a range.
func rangeOf(a *array, q *kv.Range, i, txn, own, probe int64) {
	way, state, tag := int64(byKey), int64(live), q.Tag
	from, till := q.Prefix, successor(q.Prefix)
	if q.After >= from && q.After != "" {
		from = q.After + "\x00"
	}
	switch {
	case q.Key != "":
		state, from, till = whatever, q.Key, q.Key+"\x00"
	case q.Due:
		way = byDue
	case q.Lease != "":
		way, tag = byLease, q.Lease
	case q.Tag != "":
		way = byTag
	}
	switch {
	case q.Overdue:
		state = due
	case q.Either:
		state = whatever
	}
	a.int(i, txn, own, probe, way, state)
	bytes(a, from)
	bytes(a, till)
	a.text(tag)
	a.intIf(q.Limit > 0, int64(q.Limit))
	total := bit(q.Count)
	if way == byKey && state != whatever && !kv.IsGroup(q.Prefix) {
		total |= wide
	}
	a.int(total, bit(q.Brief))
	a.text(q.Beside)
	a.intIf(q.BesideLimit > 0, int64(q.BesideLimit))
}

func bit(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// readFound reads an array of editlock_found.
func readFound(a *answer, found []kv.Found) {
	a.elements(func(f *answer) {
		i := f.int()
		parent := f.int()
		if f.err != nil || i < 0 || int(i) >= len(found) || int(parent) > len(found[i].Rows) || parent < 0 {
			f.err = errForm
			return
		}
		to := &found[i]
		if parent > 0 {
			for len(to.Beside) < len(to.Rows) {
				to.Beside = append(to.Beside, kv.Found{})
			}
			to = &to.Beside[parent-1]
		}
		r := kv.Row{Key: string(f.field())}
		r.Value = append([]byte(nil), f.field()...)
		r.Data = string(f.field())
		for range 2 {
			if tag := f.field(); tag != nil {
				r.Tags = append(r.Tags, string(tag))
			}
		}
		r.Lease = string(f.field())
		r.Rev, r.Ver, r.At, r.Seen = uint64(f.int()), uint64(f.int()), moment(f.int()), moment(f.int())
		if until := f.int(); until != math.MaxInt64 {
			r.Due = moment(until)
		}
		r.TTL, r.Max = time.Duration(f.int()), time.Duration(f.int())
		to.Rows = append(to.Rows, r)
		to.Count = max(len(to.Rows), int(f.int()))
	})
}

// finish adds to what was found what an answer leaves out.
func finish(q *kv.Range, f *kv.Found) {
	if q.Beside != "" {
		for len(f.Beside) < len(f.Rows) {
			f.Beside = append(f.Beside, kv.Found{})
		}
	}
}

// Read implements kv.Engine.
func (e *engine) Read(ctx context.Context, ranges ...kv.Range) (kv.Answer, error) {
	a := array{oid: e.types.rng}
	for i := range ranges {
		a.add(14)
		rangeOf(&a, &ranges[i], int64(i), 0, 0, -1)
	}
	var got kv.Answer
	err := e.call(ctx, e.read, [][]byte{a.done()}, true, func(in *answer) error {
		in.number() // its columns
		got = kv.Answer{Now: moment(in.int()), Found: make([]kv.Found, len(ranges))}
		readFound(in, got.Found)
		for i := range ranges {
			finish(&ranges[i], &got.Found[i])
		}
		return in.err
	})
	return got, err
}

// Log implements kv.Engine.
func (e *engine) Log(ctx context.Context, queries ...kv.LogQuery) ([]kv.LogPage, error) {
	if len(queries) == 1 && follows(&queries[0]) {
		e.watch(ctx)
	}
	a := array{oid: e.types.query}
	for i := range queries {
		q := &queries[i]
		a.add(6)
		a.int(int64(i))
		bytesIf(&a, q.Tag != "", hash(q.Tag))
		below := uint64(math.MaxInt64)
		if q.Before > 0 {
			below = min(below, q.Before)
		}
		a.int(int64(min(q.After, math.MaxInt64)), int64(below), bit(q.Newest), int64(q.Limit))
	}
	pages := make([]kv.LogPage, len(queries))
	err := e.call(ctx, e.page, [][]byte{a.done()}, true, func(in *answer) error {
		in.number() // its columns
		now, floor, last := moment(in.int()), uint64(in.int()), uint64(in.int())
		for i := range pages {
			pages[i] = kv.LogPage{Floor: floor, Last: last, Now: now}
		}
		in.elements(func(f *answer) {
			i := f.int()
			if f.err != nil || i < 0 || int(i) >= len(pages) {
				f.err = errForm
				return
			}
			pages[i].Entries = append(pages[i].Entries, kv.Logged{
				Number: uint64(f.int()), At: moment(f.int()), Value: append([]byte(nil), f.field()...),
			})
		})
		return in.err
	})
	if err != nil {
		return nil, err
	}
	return pages, nil
}

// trimmed is how many log entries are removed at a time.
const trimmed = 1000

// Trim implements kv.Engine.
func (e *engine) Trim(ctx context.Context, keep kv.Keep) error {
	before, most := []byte(nil), []byte(nil)
	if !keep.Before.IsZero() {
		before = int8Arg(keep.Before.UnixMicro())
	}
	if keep.MaxEntries > 0 {
		most = int8Arg(keep.MaxEntries)
	}
	for {
		var gone int64
		err := e.call(ctx, e.trim, [][]byte{before, most, int8Arg(kv.Window.Microseconds()), int8Arg(trimmed)}, true, func(in *answer) error {
			gone = in.scalar()
			return in.err
		})
		if err != nil || gone < trimmed {
			return err
		}
	}
}
