package kv

import (
	"strings"
	"time"
)

// Numbered returns the key followed by the number, in a form in which keys sort as
// their numbers do.
func Numbered(key string, number uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[i] = digits[number>>(60-4*i)&15]
	}
	return key + string(b[:])
}

// BesideOf returns the prefix of the keys beside a row: see Range.Beside.
func (r *Range) BesideOf(key string) string {
	head, _, _ := strings.Cut(key[len(r.Beside):], Separator)
	return r.Beside + head + Separator
}

// Due returns when a row is due that was created at at and written at now. limit is
// Write.Max.
func Due(at, now time.Time, ttl, limit, within time.Duration) time.Time {
	var due time.Time
	sooner := func(from time.Time, d time.Duration) {
		if d <= 0 {
			return
		}
		if t := from.Add(d).Truncate(time.Microsecond); due.IsZero() || t.Before(due) {
			due = t
		}
	}
	sooner(now, ttl)
	sooner(at, limit)
	sooner(now, within)
	return due
}

// RowKey returns the key of the row that is written. before is the number before the
// first one that the transaction draws.
func (w *Write) RowKey(before uint64) string {
	if w.Numbered {
		return Numbered(w.Key, before+uint64(w.Number))
	}
	return w.Key
}

// Row returns the row that a write makes. The write must not be a Delete. With Renew it
// keeps what it does not give of old, which is not changed; otherwise old is ignored.
// Value and Tags are not copied.
func (w *Write) Row(old *Row, before uint64, now time.Time) *Row {
	r := &Row{Key: w.RowKey(before), Ver: 1, At: now, Seen: now}
	if w.Number > 0 {
		r.Rev = before + uint64(w.Number)
	}
	if w.Renew {
		*r = *old
		r.Seen = now
		if w.Value != nil {
			r.Ver++
		}
	}
	give(w.Value != nil || !w.Renew, &r.Value, w.Value)
	give(w.Tags != nil || !w.Renew, &r.Tags, w.Tags)
	give(w.Lease != "", &r.Lease, w.Lease)
	if w.Data != nil {
		r.Data = *w.Data
	}
	give(w.TTL != 0, &r.TTL, max(0, w.TTL))
	give(w.Max != 0, &r.Max, max(0, w.Max))
	r.Due = Due(r.At, now, r.TTL, r.Max, w.Within)
	return r
}

func give[T any](given bool, field *T, value T) {
	if given {
		*field = value
	}
}
