package etcd

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/editlock/editlock/store/kv"
)

// row is a row as it is stored.
type row struct{ kv.Row }

// valueVersion is that of the values' form.
const valueVersion = 1

var errValue = errors.New("truncated, or not written by editlock")

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

// encoder appends to a value: numbers, and texts after their lengths.
type encoder []byte

func (e *encoder) number(n uint64) { *e = binary.AppendUvarint(*e, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) texts(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

// decoder reads what an encoder wrote. After a fault it returns zero values.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.err, d.rest = errValue, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) bytes() []byte {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.err, d.rest = errValue, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) texts() []string {
	n := d.number()
	if n == 0 || n > uint64(len(d.rest)) {
		if n > 0 {
			d.err = errValue
		}
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}

func (r *row) encode() string {
	e := make(encoder, 0, 96+len(r.Value)+len(r.Data)+len(r.Lease)+40*len(r.Tags))
	e.number(valueVersion)
	for _, n := range [...]uint64{
		r.Rev, r.Ver, uint64(micros(r.At)), uint64(micros(r.Seen)), uint64(micros(r.Due)), uint64(r.TTL), uint64(r.Max),
	} {
		e.number(n)
	}
	e.text(r.Lease)
	e.texts(r.Tags)
	e.text(r.Data)
	e.text(string(r.Value))
	return string(e)
}

// decodeRow reads a row. Its Value is a part of raw.
func decodeRow(key string, raw []byte) (*row, error) {
	d := decoder{rest: raw}
	if d.number() != valueVersion {
		return nil, errValue
	}
	r := &row{Row: kv.Row{Key: key, Rev: d.number(), Ver: d.number()}}
	r.At, r.Seen, r.Due = fromMicros(int64(d.number())), fromMicros(int64(d.number())), fromMicros(int64(d.number()))
	r.TTL, r.Max = time.Duration(d.number()), time.Duration(d.number())
	r.Lease, r.Tags, r.Data, r.Value = d.text(), d.texts(), d.text(), d.bytes()
	if d.err == nil && len(d.rest) > 0 {
		d.err = errValue
	}
	return r, d.err
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
	return found
}

// livesWith reports whether l is alive, which is the row's lease if it has one.
func (r *row) livesWith(l *row, now time.Time) bool {
	return r.Lease == "" || l != nil && l.Live(now)
}
