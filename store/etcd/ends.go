package etcd

import (
	"context"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

const (
	// endsFirst is how many keys of each name's index are read first: the
	// hold's end is mostly behind one of them.
	endsFirst = 2
	// endsParts is how many parts of the log are read at a time.
	endsParts = 256
)

// search looks for the end of one hold.
type search struct {
	hold  store.Hold
	from  string    // the index is read from this key on
	left  int       // how many of its keys may be read
	parts []logPart // where the end may be: keys of the log, in their order
	end   *store.Entry
}

// logPart is a key of the log that has entries of the name.
type logPart struct {
	key   string
	known bool // one of them is of a kind that is looked for
}

// Ends implements store.Store. Entries that are in no index count as pruned.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ends := store.Ends{Entries: make([]*store.Entry, len(holds))}
	if err := s.enter(ctx); err != nil {
		return ends, err
	}
	all := make([]*search, len(holds))
	for i, h := range holds {
		all[i] = &search{
			hold: h, from: s.keys.named(h.Name) + number(min(h.Token, 1<<62)+1), left: store.EndsWithin(len(holds)),
		}
	}
	read := make(map[string][]store.Entry)
	open := slices.Clone(all)
	for keys := endsFirst; len(open) > 0; keys = store.EndsWithin(1) {
		h, err := s.lookUp(ctx, open, keys, kinds)
		if err != nil {
			return ends, err
		}
		if ends.Floor == 0 {
			ends.Floor = max(h.Floor, h.named()-1)
		}
		for more := true; more; {
			if more, err = s.findEnds(ctx, open, kinds, read); err != nil {
				return ends, err
			}
		}
		open = slices.DeleteFunc(open, func(o *search) bool { return o.end != nil || o.left == 0 })
	}
	for i, o := range all {
		ends.Entries[i] = o.end
	}
	return ends, nil
}

// lookUp reads some keys of the index for each search.
func (s *Store) lookUp(ctx context.Context, open []*search, keys int, kinds []string) (head, error) {
	ops := []clientv3.Op{clientv3.OpGet(s.keys.head())}
	for _, o := range open {
		ops = append(ops, clientv3.OpGet(o.from, clientv3.WithRange(after(s.keys.named(o.hold.Name))),
			clientv3.WithLimit(int64(min(keys, o.left)))))
	}
	got, _, err := s.readAgain(ctx, ops...)
	if err != nil {
		return head{}, err
	}
	for i, o := range open {
		index := s.keys.named(o.hold.Name)
		for _, kv := range got[i+1].Kvs {
			o.from = string(kv.Key) + "\x00"
			found := logPart{strings.TrimPrefix(string(kv.Key), index), len(kv.Value) > 0}
			if !found.known || slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(string(kv.Value), part(k)) }) {
				o.parts = append(o.parts, found)
			}
		}
		if o.left -= len(got[i+1].Kvs); !got[i+1].More {
			o.left = 0
		}
	}
	_, h, err := decodeHead(got[0].Kvs)
	return h, err
}

// findEnds reads the next parts of each search, and reports whether there are
// more to read. The first part of a kind that is looked for has the end, unless
// that entry is from before the hold.
func (s *Store) findEnds(ctx context.Context, open []*search, kinds []string, read map[string][]store.Entry) (more bool, err error) {
	next := make([][]logPart, len(open))
	var wanted []string
	for i, o := range open {
		if o.end != nil {
			continue
		}
		n := slices.IndexFunc(o.parts, func(p logPart) bool { return p.known }) + 1
		if n == 0 {
			n = len(o.parts)
		}
		next[i], o.parts = o.parts[:n], o.parts[n:]
		for _, p := range next[i] {
			wanted = append(wanted, p.key)
		}
	}
	if err := s.readParts(ctx, wanted, read); err != nil {
		return false, err
	}
	for i, o := range open {
		for _, p := range next[i] {
			end := slices.IndexFunc(read[p.key], func(e store.Entry) bool {
				return e.Name == o.hold.Name && e.Seq > o.hold.Token && slices.Contains(kinds, e.Kind)
			})
			if end >= 0 {
				o.end = &read[p.key][end]
				break
			}
		}
		more = more || o.end == nil && len(o.parts) > 0
	}
	return more, nil
}

// readParts adds parts of the log to those that were read before.
func (s *Store) readParts(ctx context.Context, wanted []string, read map[string][]store.Entry) error {
	wanted = slices.DeleteFunc(wanted, func(key string) bool { _, known := read[key]; return known })
	slices.Sort(wanted)
	for some := range slices.Chunk(slices.Compact(wanted), endsParts) {
		ops := make([]clientv3.Op, len(some))
		for i, key := range some {
			ops[i] = clientv3.OpGet(s.keys.logs() + key)
		}
		got, _, err := s.readAgain(ctx, ops...)
		if err != nil {
			return err
		}
		for i, key := range some {
			read[key] = nil // pruned meanwhile
			for _, kv := range got[i].Kvs {
				if read[key], err = decodeLog(kv.Value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
