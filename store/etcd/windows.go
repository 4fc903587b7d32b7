package etcd

import (
	"context"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
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
func (w *windows) next(ctx context.Context, limit int, more ...clientv3.OpOption) ([]*mvccpb.KeyValue, error) {
	for w.from < w.until {
		low, high := w.from, w.until
		switch {
		case high-low <= w.span:
		case w.newest:
			low = high - w.span
		default:
			high = low + w.span
		}
		got, err := w.r.get(ctx, clientv3.OpGet(w.prefix+number(low), append(more[:len(more):len(more)],
			clientv3.WithRange(w.prefix+number(high)), clientv3.WithLimit(int64(limit)), clientv3.WithRev(w.r.rev))...))
		if err != nil {
			return nil, err
		}
		kvs, first := got[0].Kvs, low
		if len(kvs) > 0 {
			if first, err = numberOf(string(kvs[0].Key)); err != nil {
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
			if w.from, err = numberOf(string(kvs[len(kvs)-1].Key)); err != nil {
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
