package redis

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/editlock/editlock/store"
)

// packer writes what the scripts read with struct.unpack: little endian,
// numbers as doubles, texts with their length before them.
type packer []byte

func (p *packer) byte(b byte)      { *p = append(*p, b) }
func (p *packer) number(f float64) { *p = binary.LittleEndian.AppendUint64(*p, math.Float64bits(f)) }
func (p *packer) short(n uint16)   { *p = binary.LittleEndian.AppendUint16(*p, n) }

func (p *packer) text(s string) {
	*p = binary.LittleEndian.AppendUint32(*p, uint32(len(s)))
	*p = append(*p, s...)
}

func (p *packer) party(who store.Party) {
	p.text(who.Session)
	p.text(who.User)
	p.text(who.Value)
}

// terms writes spans in whole microseconds, and then what is left of them in
// nanoseconds, which the scripts only keep.
func (p *packer) terms(t store.Terms) {
	idle, idleNanos := span(t.Idle)
	hold, holdNanos := span(t.MaxHold)
	p.number(idle)
	p.number(hold)
	p.short(idleNanos)
	p.short(holdNanos)
}

// optional writes a span that means nothing unless it is positive: -1 then.
func (p *packer) optional(d time.Duration) {
	if d <= 0 {
		p.number(-1)
		p.short(0)
		return
	}
	micros, nanos := span(d)
	p.number(micros)
	p.short(nanos)
}

// note writes what a caller wants logged, as it stands at an entry's end.
func (p *packer) note(n *store.Note, name, request string) {
	p.text(n.Kind)
	p.party(n.Actor)
	p.text(n.Reason)
	p.text(name)
	p.text(request)
}

// span splits a duration. All negative ones are one to the scripts.
func span(d time.Duration) (micros float64, nanos uint16) {
	if d < 0 {
		return min(-1, float64(d/time.Microsecond)), 0
	}
	return float64(d / time.Microsecond), uint16(d % time.Microsecond)
}

// unpacker reads what the scripts pack. Its first error stays.
type unpacker struct {
	rest string
	err  error
}

var errShort = errors.New("redis: what is stored is cut short, or no work of editlock's")

func (u *unpacker) take(n int) string {
	if n < 0 || n > len(u.rest) {
		u.err, u.rest = errShort, ""
		return ""
	}
	s := u.rest[:n]
	u.rest = u.rest[n:]
	return s
}

func (u *unpacker) number() float64 {
	if s := u.take(8); s != "" {
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
	}
	return 0
}

func (u *unpacker) short() uint16 {
	if s := u.take(2); s != "" {
		return binary.LittleEndian.Uint16([]byte(s))
	}
	return 0
}

func (u *unpacker) length() int {
	if s := u.take(4); s != "" {
		return int(binary.LittleEndian.Uint32([]byte(s)))
	}
	return 0
}

func (u *unpacker) text() string { return u.take(u.length()) }

func (u *unpacker) count() uint64 { return uint64(u.number()) }

func (u *unpacker) party() store.Party {
	return store.Party{Session: u.text(), User: u.text(), Value: u.text()}
}

// time reads a moment; 0 is none.
func (u *unpacker) time() time.Time {
	f := u.number()
	if f == 0 {
		return time.Time{}
	}
	return fromMicros(int64(f))
}

func (u *unpacker) optional() time.Duration {
	micros, nanos := u.number(), u.short()
	return max(0, duration(micros, nanos))
}

func (u *unpacker) terms() store.Terms {
	idle, hold := u.number(), u.number()
	idleNanos, holdNanos := u.short(), u.short()
	return store.Terms{Idle: duration(idle, idleNanos), MaxHold: duration(hold, holdNanos)}
}

func duration(micros float64, nanos uint16) time.Duration {
	return time.Duration(micros)*time.Microsecond + time.Duration(nanos)
}

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// record reads a record; its waiters come apart.
func (u *unpacker) record(name string) *store.Record {
	rec := &store.Record{Name: name, Token: u.count(), Taken: u.time(), Touched: u.time(), Expires: u.time()}
	idle, hold := u.number(), u.number()
	u.number() // its place in due
	rec.Terms = store.Terms{Idle: duration(idle, u.short()), MaxHold: duration(hold, u.short())}
	u.take(1) // its state
	rec.Holder, rec.Request, rec.Data = u.party(), u.text(), u.text()
	return rec
}

// ticket reads a ticket, as it stands in the queue of a name.
func (u *unpacker) ticket(name, id string) store.Ticket {
	t := store.Ticket{ID: id, Name: name, Seq: u.count(), Since: u.time(), Claim: u.time(), Asked: u.count()}
	u.number() // the life
	t.Peer, t.Terms = u.text(), u.terms()
	t.Confirm, t.ClaimAfter = u.optional(), u.optional()
	t.Holder, t.Data = u.party(), u.text()
	if note := u.text(); note != "" {
		n := unpacker{rest: note}
		t.Note = &store.Note{Kind: n.text(), Actor: n.party(), Reason: n.text()}
		u.err = errors.Join(u.err, n.err)
	}
	t.Value = u.text()
	return t
}

// entry reads a log entry.
func (u *unpacker) entry(seq uint64) store.Entry {
	return store.Entry{
		Seq: seq, Token: u.count(), At: u.time(), Owner: u.party(), Other: u.party(),
		Kind: u.text(), Actor: u.party(), Reason: u.text(), Name: u.text(), Request: u.text(),
	}
}
