package redis

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/kv"
)

// packer writes what scripts read with struct.unpack: little endian, numbers as
// doubles.
type packer []byte

func (p *packer) byte(b byte)     { *p = append(*p, b) }
func (p *packer) short(n int)     { *p = binary.LittleEndian.AppendUint16(*p, uint16(n)) }
func (p *packer) long(n int)      { *p = binary.LittleEndian.AppendUint32(*p, uint32(n)) }
func (p *packer) float(f float64) { *p = binary.LittleEndian.AppendUint64(*p, math.Float64bits(f)) }

// micros is a duration in microseconds; the nanoseconds beside whole ones are a
// fraction, which doubles have room for up to a hundred days.
func micros(d time.Duration) float64 {
	return float64(d/time.Microsecond) + float64(d%time.Microsecond)/1000
}

func duration(micros float64) time.Duration {
	whole := math.Floor(micros)
	return time.Duration(whole)*time.Microsecond + time.Duration(math.Round((micros-whole)*1000))
}

func moment(micros float64) time.Time { return time.UnixMicro(int64(micros)).UTC() }

// life is for how long a row lives that is written now.
func life(bounds ...time.Duration) float64 {
	least := math.Inf(1)
	for _, d := range bounds {
		if d > 0 {
			least = min(least, math.Floor(micros(d)))
		}
	}
	return least
}

const (
	maxTags = 2     // of a row
	lends   = 65535 // see rows.lua
	headLen = 64
)

// body packs a row that is created as far as it is known: all but the time and
// the first number of its batch. number is its own among those, from 1.
func body(w *kv.Write, number int) string {
	data, tags := "", [maxTags]string{}
	if w.Data != nil {
		data = *w.Data
	}
	copy(tags[:], w.Tags)
	p := make(packer, 0, headLen+len(tags[0])+len(tags[1])+len(w.Lease)+len(data)+len(w.Value))
	p.float(life(w.TTL, w.Max, w.Within))
	p.short(number)
	p.long(1)
	p.float(max(0, micros(w.TTL)))
	p.float(max(0, micros(w.Max)))
	p.short(len(tags[0]))
	p.short(len(tags[1]))
	p.short(len(w.Lease))
	p.long(len(data))
	p = append(append(append(append(append(p, tags[0]...), tags[1]...), w.Lease...), data...), w.Value...)
	return rueidis.BinaryString(p)
}

var errForm = errors.New("redis: what is stored is truncated, or not written by editlock")

// parseRow reads a row as scripts keep it.
func parseRow(key, raw string) (r kv.Row, err error) {
	if len(raw) < headLen {
		return r, errForm
	}
	head, rest := []byte(raw[:headLen]), raw[headLen:]
	float := func(at int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(head[at:])) }
	short := func(at int) int { return int(binary.LittleEndian.Uint16(head[at:])) }
	r = kv.Row{Key: key, At: moment(float(0)), Seen: moment(float(8)), TTL: duration(float(38)), Max: duration(float(46))}
	if due := float(8) + float(24); !math.IsInf(due, 1) {
		r.Due = moment(due)
	}
	if number := short(32); number > 0 {
		r.Rev = uint64(float(16)) + uint64(number) - 1
	}
	r.Ver = uint64(binary.LittleEndian.Uint32(head[34:]))
	lease := short(58)
	if lease == lends {
		lease = 0
	}
	take := func(n int) (s string) {
		if n > len(rest) {
			err, n = errForm, len(rest)
		}
		s, rest = rest[:n], rest[n:]
		return s
	}
	for _, at := range [maxTags]int{54, 56} {
		if tag := take(short(at)); tag != "" {
			r.Tags = append(r.Tags, tag)
		}
	}
	r.Lease, r.Data = take(lease), take(int(binary.LittleEndian.Uint32(head[60:])))
	if rest != "" {
		r.Value = []byte(rest)
	}
	return r, err
}

// msgpack writes what scripts read with cmsgpack.unpack.
type msgpack []byte

func (m *msgpack) array(n int) {
	*m = binary.BigEndian.AppendUint32(append(*m, 0xdd), uint32(n))
}

func (m *msgpack) text(all ...string) {
	for _, s := range all {
		*m = append(binary.BigEndian.AppendUint32(append(*m, 0xdb), uint32(len(s))), s...)
	}
}

func (m *msgpack) number(all ...float64) {
	for _, f := range all {
		*m = binary.BigEndian.AppendUint64(append(*m, 0xcb), math.Float64bits(f))
	}
}

func (m *msgpack) bool(b bool) {
	if b {
		*m = append(*m, 0xc3)
	} else {
		*m = append(*m, 0xc2)
	}
}

// optional is a text, or false.
func (m *msgpack) optional(s *string) {
	if s == nil {
		m.bool(false)
		return
	}
	m.text(*s)
}

// rangeFlags are those of ranges in scripts.
func rangeFlags(r *kv.Range) (flags float64) {
	for i, set := range []bool{r.Count, r.Brief, r.Overdue, r.Due, r.Either} {
		if set {
			flags += float64(int(1) << i)
		}
	}
	return flags
}

func (m *msgpack) ranges(all []kv.Range) {
	m.array(len(all))
	for i := range all {
		r := &all[i]
		m.array(9)
		m.text(r.Key, r.Prefix, r.Tag, r.Lease, r.After)
		m.number(float64(r.Limit), rangeFlags(r))
		m.text(r.Beside)
		m.number(float64(r.BesideLimit))
	}
}

// reply reads an answer. After a fault it returns zero values, and err tells.
type reply struct {
	parts []rueidis.RedisMessage
	err   error
}

func (r *reply) next() (m rueidis.RedisMessage) {
	if len(r.parts) == 0 {
		r.err = errForm
		return m
	}
	m, r.parts = r.parts[0], r.parts[1:]
	return m
}

func (r *reply) number() int64 {
	m := r.next()
	if r.err != nil {
		return 0
	}
	n, err := m.AsInt64()
	if err != nil {
		r.err = err
	}
	return n
}

func (r *reply) text() string {
	m := r.next()
	if r.err != nil {
		return ""
	}
	s, err := m.ToString()
	if err != nil {
		r.err = err
	}
	return s
}

// array is a part that is an answer by itself; nil: there is none.
func (r *reply) array() *reply {
	m := r.next()
	if r.err != nil {
		return &reply{err: r.err}
	}
	if m.IsNil() {
		return nil
	}
	parts, err := m.ToArray()
	return &reply{parts: parts, err: err}
}

// found is what is in a range. more is the key that the range goes on behind;
// nothing: it has to be asked for again.
func (r *reply) found() (f kv.Found, more string, nothing bool) {
	a := r.array()
	if a == nil {
		return f, "", true
	}
	f.Count = int(a.number())
	rows := a.array()
	for a.err == nil && rows != nil && len(rows.parts) > 0 {
		row, err := parseRow(rows.text(), rows.text())
		if err = errors.Join(rows.err, err); err != nil {
			a.err = err
			break
		}
		f.Rows = append(f.Rows, row)
	}
	beside := a.array()
	for a.err == nil && beside != nil && len(beside.parts) > 0 {
		one, _, _ := beside.found()
		f.Beside = append(f.Beside, one)
		a.err = beside.err
	}
	more = a.text()
	if r.err = a.err; r.err != nil {
		return kv.Found{}, "", false
	}
	return f, more, false
}
