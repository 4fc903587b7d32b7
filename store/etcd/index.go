package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/editlock/editlock/store/internal/codec"
	"github.com/editlock/editlock/store/kv"
)

const (
	// indexEvery is after how much work for readers the log's tags are indexed:
	// some 680 entries in keys of 16, or 256 in keys of their own. What is not indexed
	// yet is read with each page that goes by a tag.
	indexEvery = 768
	// indexKeys is how many keys of the log are indexed at a time, and indexOnce how
	// many entries, or some more.
	indexKeys, indexOnce = 256, 1024
	// trimKeys is how many keys of the log are removed at a time.
	trimKeys = 200
)

// index says how far the log is indexed.
type index struct {
	Floor   uint64 `json:"floor,omitempty"`   // entries up to this one may be gone
	Indexed uint64 `json:"indexed,omitempty"` // keys of the log up to this one are indexed
	Entries int64  `json:"entries,omitempty"` // that those have

	raw string
}

func decodeIndex(kv *mvccpb.KeyValue) (x index, err error) {
	if kv == nil {
		return x, nil
	}
	if err := json.Unmarshal(kv.Value, &x); err != nil {
		return x, fmt.Errorf("etcd: the log's index: %w", codec.ErrMalformed)
	}
	x.raw = string(kv.Value)
	return x, nil
}

// replaced is the transaction that replaces the index, with more operations.
func (x index) replaced(k keys, next index, ops []*pb.RequestOp) *pb.TxnRequest {
	was := absent(k.index())
	if x.raw != "" {
		was = is(k.index(), x.raw)
	}
	raw, _ := json.Marshal(next) // numbers: can't fail
	return &pb.TxnRequest{Compare: []*pb.Compare{was}, Success: pack(append(ops, put(k.index(), string(raw))), 1)}
}

// A mark is the keys of the log, in their order, that have a tag.

func encodeMark(parts []uint64) string {
	var e codec.Encoder
	last := uint64(0)
	for _, n := range parts {
		e.Number(n - last)
		last = n
	}
	return string(e)
}

func decodeMark(value []byte) (parts []uint64, err error) {
	d, last := codec.NewDecoder(value), uint64(0)
	for d.More() {
		last += d.Number()
		parts = append(parts, last)
	}
	if d.Err() != nil || len(parts) == 0 || !slices.IsSorted(parts) {
		return nil, fmt.Errorf("etcd: a mark of the log: %w", codec.ErrMalformed)
	}
	return parts, nil
}

// toRead is how much work it is to read so many keys of the log, and entries.
func toRead(keys, entries int) int { return 2*keys + entries }

// indexSoon has the log indexed if enough was written since.
func (e *engine) indexSoon(keys, entries int) {
	if e.loose.Add(int64(toRead(keys, entries))) < indexEvery || !e.indexing.CompareAndSwap(false, true) {
		return
	}
	e.loose.Store(0)
	e.background(func() {
		defer e.indexing.Store(false)
		for e.quit.Err() == nil {
			if done, err := e.indexSome(e.quit, indexEvery); !done || err != nil {
				return // the next writer tries again
			}
		}
	})
}

// indexSome indexes the next entries of the log, if to read them is so much work.
func (e *engine) indexSome(ctx context.Context, least int) (done bool, err error) {
	k, indexed := e.keys, e.indexed.Load()
	next := scan(k.log(indexed+1), after(k.logs()))
	next.Limit = indexKeys
	got, _, err := e.readAgain(ctx, get(k.index()), read(next))
	if err != nil {
		return false, err
	}
	x, err := decodeIndex(first(got[0]))
	if err != nil {
		return false, err
	}
	if e.indexed.Store(x.Indexed); x.Indexed != indexed {
		return e.indexSome(ctx, least)
	}
	marks, to, keys, entries := make(map[string][]uint64), x, 0, 0
	for _, kv := range got[1].Kvs {
		chunk, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		if to.Indexed, err = numberOf(kv.Key); err != nil {
			return false, err
		}
		keys, entries = keys+1, entries+len(chunk)
		for _, e := range chunk {
			for _, tag := range e.tags {
				if e.id != "" && len(tag) == len(e.id)+1 && strings.HasSuffix(tag, e.id) {
					continue // the key of the ID leads to it
				}
				if n := len(marks[tag]); n == 0 || marks[tag][n-1] != to.Indexed {
					marks[tag] = append(marks[tag], to.Indexed)
				}
			}
		}
		if entries >= indexOnce {
			break
		}
	}
	if entries == 0 || toRead(keys, entries) < least {
		return false, nil
	}
	to.Entries += int64(entries)
	var ops []*pb.RequestOp
	for _, tag := range slices.Sorted(maps.Keys(marks)) {
		parts := marks[tag]
		ops = append(ops, put(k.mark(tag)+number(parts[len(parts)-1]), encodeMark(parts)))
	}
	resp, err := e.txn(ctx, x.replaced(k, to, ops))
	if err == nil && resp.Succeeded {
		e.indexed.Store(to.Indexed)
	}
	return err == nil, err
}

// Trim implements kv.Engine. It removes whole keys of the log.
func (e *engine) Trim(ctx context.Context, keep kv.Keep) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	if keep == (kv.Keep{}) {
		return nil
	}
	for {
		more, err := e.trimSome(ctx, keep)
		if err != nil || !more {
			return err
		}
	}
}

// trimSome removes the beginning of the log, as far as it is indexed, and
// reports whether there may be more to remove.
func (e *engine) trimSome(ctx context.Context, keep kv.Keep) (more bool, err error) {
	at, err := e.now(ctx)
	if err != nil {
		return false, err
	}
	young := fromMicros(at).Add(-kv.Window)
	k := e.keys
	oldest := scan(k.logs(), after(k.logs()))
	oldest.Limit = trimKeys
	tail := scan(k.log(e.indexed.Load()+1), after(k.logs()))
	got, _, err := e.readAgain(ctx, get(k.index()), read(oldest), read(tail))
	if err != nil {
		return false, err
	}
	x, err := decodeIndex(first(got[0]))
	if err != nil {
		return false, err
	}
	total := x.Entries
	for _, kv := range got[2].Kvs {
		if n, err := numberOf(kv.Key); err != nil || n <= x.Indexed {
			continue
		}
		chunk, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		total += int64(len(chunk))
	}
	to, cut := x, ""
	tags := make(map[string]bool)
	var ops []*pb.RequestOp
	for _, kv := range got[1].Kvs {
		chunk, err := decodeLog(kv.Value)
		if err != nil {
			return false, err
		}
		n, err := numberOf(kv.Key)
		if err != nil {
			return false, err
		}
		newest := slices.MaxFunc(chunk, func(a, b logged) int { return a.At.Compare(b.At) }).At
		if !newest.Before(young) || !newest.Before(keep.Before) && (keep.MaxEntries <= 0 || total <= keep.MaxEntries) {
			break
		}
		if n > x.Indexed { // it must be indexed first
			_, err := e.indexSome(ctx, 1)
			return err == nil, err
		}
		if len(ops) > indexOnce {
			break
		}
		total -= int64(len(chunk))
		to.Entries -= int64(len(chunk))
		cut, to.Floor = string(kv.Key)+"\x00", n
		for _, e := range chunk {
			if e.id != "" {
				ops = append(ops, remove(k.once(e.id)+number(n)))
			}
			for _, tag := range e.tags {
				tags[tag] = true
			}
		}
	}
	if cut == "" {
		return false, nil
	}
	for tag := range tags {
		ops = append(ops, removeRange(k.mark(tag), k.mark(tag)+number(to.Floor+1)))
	}
	ops = append(ops, removeRange(k.logs(), cut))
	resp, err := e.txn(ctx, x.replaced(k, to, ops))
	return err == nil && (!resp.Succeeded || len(got[1].Kvs) > 0), err
}
