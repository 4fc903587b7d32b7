package etcd

import (
	"context"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

const (
	// endsSteps is how many steps are read at a time.
	endsSteps = 256
	// endsFirst is how many steps of each name are read first: the hold's end is
	// mostly among them.
	endsFirst = 2
)

// Ends implements store.Store. Steps that are in no index count as pruned.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
	ends := store.Ends{Entries: make([]*store.Entry, len(holds))}
	if err := s.enter(ctx); err != nil {
		return ends, err
	}
	ops := []clientv3.Op{clientv3.OpGet(s.keys.head())}
	for _, h := range holds {
		index := s.keys.named(h.Name)
		ops = append(ops, clientv3.OpGet(index+number(min(h.Token, 1<<62)+1), clientv3.WithRange(after(index)),
			clientv3.WithKeysOnly(), clientv3.WithLimit(int64(store.EndsWithin(len(holds))))))
	}
	got, _, err := s.readAgain(ctx, ops...)
	if err != nil {
		return ends, err
	}
	_, h, err := decodeHead(got[0].Kvs)
	if err != nil {
		return ends, err
	}
	ends.Floor = max(h.Floor, h.named()-1)
	steps := make([][]string, len(holds)) // where the ends may be, by hold
	for i, found := range got[1:] {
		for _, kv := range found.Kvs {
			steps[i] = append(steps[i], strings.TrimPrefix(string(kv.Key), s.keys.named(holds[i].Name)))
		}
	}
	read := make(map[string][]store.Entry)
	for most := endsFirst; ; most = store.EndsWithin(1) {
		var wanted []string
		more := false
		for i := range holds {
			if ends.Entries[i] == nil {
				wanted = append(wanted, steps[i][:min(most, len(steps[i]))]...)
				more = more || len(steps[i]) > most
			}
		}
		if err := s.readSteps(ctx, wanted, read); err != nil {
			return ends, err
		}
		for i, h := range holds {
			for _, step := range steps[i][:min(most, len(steps[i]))] {
				end := slices.IndexFunc(read[step], func(e store.Entry) bool {
					return e.Name == h.Name && e.Seq > h.Token && slices.Contains(kinds, e.Kind)
				})
				if end >= 0 {
					ends.Entries[i] = &read[step][end]
					break
				}
			}
		}
		if !more {
			return ends, nil
		}
	}
}

// readSteps adds the entries of steps to those that were read before.
func (s *Store) readSteps(ctx context.Context, steps []string, read map[string][]store.Entry) error {
	steps = slices.DeleteFunc(steps, func(step string) bool { _, known := read[step]; return known })
	slices.Sort(steps)
	for some := range slices.Chunk(slices.Compact(steps), endsSteps) {
		ops := make([]clientv3.Op, len(some))
		for i, step := range some {
			ops[i] = clientv3.OpGet(s.keys.logs() + step)
		}
		got, _, err := s.readAgain(ctx, ops...)
		if err != nil {
			return err
		}
		for i, step := range some {
			read[step] = nil // pruned meanwhile
			for _, kv := range got[i].Kvs {
				if read[step], err = decodeLog(kv.Value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
