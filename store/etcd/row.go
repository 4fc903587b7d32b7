package etcd

import (
	"slices"
	"time"

	"github.com/editlock/editlock/store/internal/codec"
	"github.com/editlock/editlock/store/kv"
)

// row is a row as it is stored.
type row struct{ kv.Row }

// valueVersion is that of the values' form.
const valueVersion = 1

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func (r *row) encode() string {
	e := make(codec.Encoder, 0, 96+len(r.Value)+len(r.Data)+len(r.Lease)+40*len(r.Tags))
	e.Number(valueVersion)
	for _, n := range [...]uint64{
		r.Rev, r.Ver, uint64(micros(r.At)), uint64(micros(r.Seen)), uint64(micros(r.Due)), uint64(r.TTL), uint64(r.Max),
	} {
		e.Number(n)
	}
	e.Text(r.Lease)
	e.Texts(r.Tags)
	e.Text(r.Data)
	e.Bytes(r.Value)
	return string(e)
}

// decodeRow reads a row. Its Value is a part of raw.
func decodeRow(key string, raw []byte) (*row, error) {
	d := codec.NewDecoder(raw)
	if d.Number() != valueVersion {
		return nil, codec.ErrMalformed
	}
	r := &row{Row: kv.Row{Key: key, Rev: d.Number(), Ver: d.Number()}}
	r.At, r.Seen, r.Due = fromMicros(int64(d.Number())), fromMicros(int64(d.Number())), fromMicros(int64(d.Number()))
	r.TTL, r.Max = time.Duration(d.Number()), time.Duration(d.Number())
	r.Lease, r.Tags, r.Data, r.Value = d.Text(), d.Texts(), d.Text(), d.Bytes()
	return r, d.End()
}

// copied is the row as it is handed out.
func (r *row) copied(brief bool) kv.Row {
	out := r.Row
	out.Tags = slices.Clone(out.Tags)
	if out.Value = slices.Clone(out.Value); brief {
		out.Value = nil
	}
	return out
}

// indexed are the keys by which the row is found; nil has none.
func (r *row) indexed(k keys) (found []string) {
	if r == nil {
		return nil
	}
	for _, tag := range r.Tags {
		found = append(found, k.tag(tag)+r.Key)
	}
	if !r.Due.IsZero() {
		found = append(found, k.due(max(0, micros(r.Due)), r.Key))
	}
	if r.Lease != "" {
		found = append(found, k.lease(r.Lease)+r.Key)
	}
	for _, key := range append(slices.Clone(found), k.row(r.Key)) {
		if isLandmark(key) {
			found = append(found, k.landmark(key))
		}
	}
	return found
}

// livesWith reports whether l is alive, which is the row's lease if it has one.
func (r *row) livesWith(l *row, now time.Time) bool {
	return r.Lease == "" || l != nil && l.Live(now)
}
