package core

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/editlock/editlock/store"
)

// Values are sequences of texts and numbers, each text after its length. The
// first number is the version of the form.

const valueVersion = 1

var errValue = errors.New("value: truncated or not written by editlock")

type encoder []byte

func newEncoder(size int) encoder { return binary.AppendUvarint(make(encoder, 0, size), valueVersion) }

func (e *encoder) number(n uint64)          { *e = binary.AppendUvarint(*e, n) }
func (e *encoder) duration(d time.Duration) { *e = binary.AppendVarint(*e, int64(d)) }
func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) party(p store.Party) {
	e.text(p.Session)
	e.text(p.User)
	e.text(p.Value)
}

// decoder reads what an encoder wrote. After a fault it returns zero values.
type decoder struct {
	all  string // the value; texts are parts of it
	rest []byte // of the value, yet to be read
	err  error
}

func newDecoder(value []byte) decoder {
	d := decoder{all: string(value), rest: value}
	if d.number() != valueVersion {
		d.err = errValue
	}
	return d
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	return taken(d, n, size)
}

func (d *decoder) duration() time.Duration {
	n, size := binary.Varint(d.rest)
	return time.Duration(taken(d, n, size))
}

func taken[T any](d *decoder, value T, size int) (zero T) {
	if size <= 0 || d.err != nil {
		d.err = errValue
		return zero
	}
	d.rest = d.rest[size:]
	return value
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.err = errValue
		return ""
	}
	at := len(d.all) - len(d.rest)
	d.rest = d.rest[n:]
	return d.all[at : at+int(n)]
}

func (d *decoder) party() store.Party {
	return store.Party{Session: d.text(), User: d.text(), Value: d.text()}
}

// end reports whether all was read and nothing is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		return errValue
	}
	return d.err
}

// encodeHold is the value of a hold: its holder, and the request that took it.
// Status data are the row's Data, terms and times its own.
func encodeHold(rec *store.Record) []byte {
	p := rec.Holder
	e := newEncoder(8 + len(p.Session) + len(p.User) + len(p.Value) + len(rec.Request))
	e.party(p)
	e.text(rec.Request)
	return e
}

func decodeHold(value []byte) (holder store.Party, request string, err error) {
	d := newDecoder(value)
	holder, request = d.party(), d.text()
	return holder, request, d.end()
}

// A token within a value may be one that the same transaction draws, and be
// unknown when the value is encoded. So it is kept either as it is, or by how
// far it is behind the number of its row or entry.
func (e *encoder) token(token, number uint64) {
	if token < drawn {
		e.number(token << 1)
		return
	}
	e.number((number-token)<<1 | 1)
}

func (d *decoder) token(number uint64) uint64 {
	n := d.number()
	if n&1 == 0 {
		return n >> 1
	}
	return number - n>>1
}

// encodeWaiter is the value of a waiter. Its ID is the row's Data, its process
// the row's lease, its place and time the row's own.
func encodeWaiter(t *store.Ticket) []byte {
	e := newEncoder(64 + len(t.Holder.Value) + len(t.Data) + len(t.Value))
	e.party(t.Holder)
	e.text(t.Data)
	e.duration(t.Terms.Idle)
	e.duration(t.Terms.MaxHold)
	e.text(t.Value)
	e.duration(t.Confirm)
	e.duration(t.ClaimAfter)
	e.token(t.Asked, t.Seq)
	if t.Note != nil {
		e.text(t.Note.Kind)
		e.party(t.Note.Actor)
		e.text(t.Note.Reason)
	}
	return e
}

func decodeWaiter(value []byte, seq uint64) (store.Ticket, error) {
	d := newDecoder(value)
	t := store.Ticket{Seq: seq, Holder: d.party(), Data: d.text()}
	t.Terms = store.Terms{Idle: d.duration(), MaxHold: d.duration()}
	t.Value, t.Confirm, t.ClaimAfter, t.Asked = d.text(), d.duration(), d.duration(), d.token(seq)
	if d.err == nil && len(d.rest) > 0 {
		t.Note = &store.Note{Kind: d.text(), Actor: d.party(), Reason: d.text()}
	}
	return t, d.end()
}

// encodeEntry is the value of a log entry. Its number is the entry's own, and
// so is its time unless that is before the transaction's.
func encodeEntry(e *store.Entry, before bool) []byte {
	v := newEncoder(64 + len(e.Name) + len(e.Owner.Value) + len(e.Actor.Value) + len(e.Other.Value))
	v.text(e.Kind)
	v.text(e.Name)
	v.token(e.Token, e.Seq)
	var own uint64
	if before {
		own = uint64(e.At.UnixMicro())
	}
	v.number(own)
	v.party(e.Owner)
	v.party(e.Actor)
	v.party(e.Other)
	v.text(e.Reason)
	v.text(e.Request)
	return v
}

func decodeEntry(value []byte, number uint64, at time.Time) (store.Entry, error) {
	d := newDecoder(value)
	e := store.Entry{Seq: number, At: at, Kind: d.text(), Name: d.text(), Token: d.token(number)}
	if own := d.number(); own != 0 {
		e.At = time.UnixMicro(int64(own)).UTC()
	}
	e.Owner, e.Actor, e.Other, e.Reason, e.Request = d.party(), d.party(), d.party(), d.text(), d.text()
	return e, d.end()
}
