package etcd

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/editlock/editlock/store/internal/codec"
	"github.com/editlock/editlock/store/kv"
)

// logged is a log entry.
type logged struct {
	kv.Logged
	id    string
	tags  []string
	first uint64 // number that its transaction drew; only while it is written
}

// log are the entries that the step writes.
func (s *step) log() []logged {
	if !s.writes() {
		return nil
	}
	entries := make([]logged, len(s.txn.Log))
	for i := range entries {
		in := &s.txn.Log[i]
		entries[i] = logged{
			kv.Logged{Number: s.before + uint64(in.Number), At: s.now, Value: in.Value}, in.ID, in.Tags, s.before + 1,
		}
	}
	return entries
}

const (
	// maxPart is how many log entries share a key, and steps a part of a batch: one
	// entry is found without decoding all that a batch wrote.
	maxPart = 16
	// packFrom is from how many entries on their values are compressed: those of
	// one batch are much alike, and etcd bounds the bytes of one.
	packFrom = 256
)

// putLog writes entries, and by which IDs to find them.
func putLog(k keys, entries []logged) (ops []*pb.RequestOp) {
	packed := len(entries) >= packFrom
	for some := range slices.Chunk(entries, maxPart) {
		last := some[len(some)-1].Number
		ops = append(ops, put(k.log(last), encodeLog(some, packed)))
		var ids []string
		for i := range some {
			if id := some[i].id; id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
				ops = append(ops, put(k.once(id)+number(last), number(some[i].first)))
			}
		}
	}
	return ops
}

// A value of the log begins with valueVersion, or with packedVersion and is
// compressed after that.
const packedVersion = 2

func encodeLog(entries []logged, packed bool) string {
	size := 16
	for i := range entries {
		size += 64 + len(entries[i].Value)
	}
	e := make(codec.Encoder, 0, size)
	e.Number(uint64(len(entries)))
	for i := range entries {
		in := &entries[i]
		e.Number(in.Number)
		e.Number(uint64(micros(in.At)))
		e.Text(in.id)
		e.Texts(in.tags)
		e.Bytes(in.Value)
	}
	if !packed {
		return string([]byte{valueVersion}) + string(e)
	}
	out := bytes.NewBuffer([]byte{packedVersion})
	w, _ := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(out)
	_, _ = w.Write(e) // to memory: can't fail
	_ = w.Close()
	return out.String()
}

// packers are kept: to make one costs more than what it does for one value.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is right
	}
	return w
}}

func decodeLog(value []byte) ([]logged, error) {
	if len(value) == 0 {
		return nil, fmt.Errorf("etcd: the log: %w", codec.ErrMalformed)
	}
	plain := value[1:]
	switch value[0] {
	case valueVersion:
	case packedVersion:
		var err error
		if plain, err = io.ReadAll(flate.NewReader(bytes.NewReader(plain))); err != nil {
			return nil, fmt.Errorf("etcd: the log: %w", err)
		}
	default:
		return nil, fmt.Errorf("etcd: the log: %w", codec.ErrMalformed)
	}
	d := codec.NewDecoder(plain)
	n := d.Len()
	if n == 0 {
		return nil, fmt.Errorf("etcd: the log: %w", codec.ErrMalformed)
	}
	entries := make([]logged, n)
	for i := range entries {
		entries[i] = logged{Logged: kv.Logged{Number: d.Number(), At: fromMicros(int64(d.Number()))}, id: d.Text(), tags: d.Texts()}
		entries[i].Value = d.Bytes()
	}
	if err := d.End(); err != nil {
		return nil, fmt.Errorf("etcd: the log: %w", err)
	}
	return entries, nil
}
