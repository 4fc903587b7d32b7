package etcd

import (
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

const (
	// firstSpan are the numbers of about a second.
	firstSpan = 1 << 20
	// wholeRange is a window that has all numbers.
	wholeRange = 1 << 63
	// widenBy is how much wider the next window is if one has no keys, and
	// widenMost how much wider at most if it has some.
	widenBy, widenMost = 32, 8
)

// windows reads keys that end in numbers, some at a time, in either order. A
// limit alone bounds an answer, and not what etcd does for it: it counts all keys
// of the range, and in descending order it reads all their values, too. So each
// request is for a narrow range, as wide as the ones before it tell.
type windows struct {
	r           *logReader
	prefix      string // of the keys
	from, until uint64 // the numbers that were not read yet
	span        uint64 // how many of them the next window has
	newest      bool   // the highest numbers first
}

// next returns some keys, at most as many as limit says; none: there are no more.
func (w *windows) next(limit int) ([]*mvccpb.KeyValue, error) {
	for w.from < w.until {
		low, high := w.from, w.until
		switch {
		case high-low <= w.span:
		case w.newest:
			low = high - w.span
		default:
			high = low + w.span
		}
		read := scan(w.prefix+number(low), w.prefix+number(high))
		read.Limit = int64(limit)
		got, err := w.r.m.get([]*pb.RangeRequest{read})
		if err != nil {
			return nil, err
		}
		kvs, first := got[0].Kvs, low
		if len(kvs) > 0 {
			if first, err = numberOf(kvs[0].Key); err != nil {
				return nil, err
			}
		}
		w.span = spanFor(limit, got[0].Count, high-first)
		switch {
		case w.newest && got[0].More: // the oldest of too many
			if low == w.from {
				w.from = first
			}
			continue
		case w.newest:
			w.until = low
			slices.Reverse(kvs)
		case got[0].More:
			if w.from, err = numberOf(kvs[len(kvs)-1].Key); err != nil {
				return nil, err
			}
			w.from++
		default:
			w.from = high
		}
		if len(kvs) > 0 {
			return kvs, nil
		}
	}
	return nil, nil
}

// spanFor is the width of the next window, after so many keys in such a span:
// narrower if these were too many, wider if they were few.
func spanFor(limit int, count int64, span uint64) uint64 {
	wide := float64(span)
	switch {
	case count == 0:
		wide *= widenBy
	case count > int64(limit) || 4*count < int64(limit):
		wide *= min(widenMost, float64(limit)/float64(count)*3/4)
	}
	return uint64(min(max(wide, 1), wholeRange))
}

// logGlance is how many keys of the log are read at a time at least.
const logGlance = 128

// scan collects a page of all entries, or one that goes back by a tag.
func (r *logReader) scan(s *pageSearch) error {
	k, q := r.e.keys, &s.q
	from, until := max(min(q.After, 1<<62), r.index.Floor)+1, r.last+1
	w := &windows{r: r, prefix: k.logs(), span: r.e.span.Load(), newest: q.Newest}
	slices.Sort(s.parts)
	if q.Tag != "" {
		w.prefix, w.span = k.mark(q.Tag), wholeRange
	} else {
		defer func() { r.e.span.Store(w.span) }() // the next page is probably as dense
	}
	take := func(kvs []*mvccpb.KeyValue) (full bool, err error) {
		if q.Tag == "" {
			for _, kv := range kvs {
				entries, err := decodeLog(kv.Value)
				if err != nil || s.add(entries) {
					return true, err
				}
			}
			return false, nil
		}
		low := uint64(0) // no key of the log that is not known comes behind this one
		for _, kv := range kvs {
			parts, err := decodeMark(kv.Value)
			if err != nil {
				return true, err
			}
			s.parts, low = append(s.parts, parts...), slices.Min(parts)
		}
		return r.back(s, low)
	}
	if q.Newest && q.Before < until {
		// The key after that may begin before it.
		w.from, w.until, w.newest = max(q.Before, from), until, false
		kvs, err := w.next(1)
		if err != nil {
			return err
		}
		if until = q.Before; len(kvs) > 0 {
			if full, err := take(kvs); full || err != nil {
				return err
			}
		}
		w.newest = true
	}
	w.from, w.until = from, until
	for {
		kvs, err := w.next(max(logGlance, min(q.Limit-len(s.page.Entries), 1000)))
		if err != nil {
			return err
		}
		if len(kvs) == 0 {
			if q.Tag != "" {
				_, err = r.back(s, 0)
			}
			return err
		}
		if full, err := take(kvs); full || err != nil {
			return err
		}
	}
}

// back adds entries of the keys that a search knows, the newest first, down to
// one number.
func (r *logReader) back(s *pageSearch, low uint64) (full bool, err error) {
	slices.Sort(s.parts)
	s.parts = slices.Compact(s.parts)
	if n, _ := slices.BinarySearch(s.parts, s.q.Before); n < len(s.parts) {
		s.parts = s.parts[:n+1] // the first that ends behind that may begin before it
	}
	for n := len(s.parts); n > 0 && s.parts[n-1] >= low; n = len(s.parts) {
		some := s.parts[max(0, n-min(logGlance, max(1, s.q.Limit-len(s.page.Entries)))):]
		at, _ := slices.BinarySearch(some, low)
		some = some[at:]
		if err := r.fetch(some); err != nil {
			return true, err
		}
		for _, n := range slices.Backward(some) {
			if s.add(r.chunks[n]) {
				return true, nil
			}
		}
		s.parts = s.parts[:len(s.parts)-len(some)]
	}
	return false, nil
}
