package core

import (
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/codec"
)

// valueVersion is the first number of each value: the version of the format.
const valueVersion = 1

type encoder struct{ codec.Encoder }

func newEncoder(size int) encoder {
	e := encoder{make(codec.Encoder, 0, size)}
	e.Number(valueVersion)
	return e
}

func (e *encoder) party(p store.Party) {
	e.Text(p.Session)
	e.Text(p.User)
	e.Text(p.Value)
}

type decoder struct{ codec.Decoder }

func newDecoder(value []byte) decoder {
	d := decoder{codec.NewShared(value)}
	if d.Number() != valueVersion {
		d.Fail()
	}
	return d
}

func (d *decoder) party() store.Party {
	return store.Party{Session: d.Text(), User: d.Text(), Value: d.Text()}
}

// encodeHold returns the value of a hold: its holder, the ID of the transaction or waiter
// that acquired it, and its share unless that is Alone. Status data are the row's Data;
// terms and times are the row's own. If the hold changed to Shared, the value has its
// token and the time of its acquisition, too.
func encodeHold(rec *store.Record) []byte {
	p := rec.Holder
	e := newEncoder(8 + len(p.Session) + len(p.User) + len(p.Value) + len(rec.Request))
	e.party(p)
	e.Text(rec.Request)
	if e.share(rec.Share); rec.Place != 0 {
		var acquired uint64 // with the row
		if e.token(rec.Token, rec.Place); number(rec.Token) == 0 {
			acquired = uint64(rec.Acquired.UnixMicro())
		}
		e.Number(acquired)
	}
	return e.Encoder
}

// decodeHold sets the fields of a record that encodeHold wrote.
func decodeHold(rec *store.Record, value []byte) error {
	d := newDecoder(value)
	rec.Holder, rec.Request, rec.Share = d.party(), d.Text(), d.share()
	if d.More() {
		rec.Place, rec.Placed = rec.Token, rec.Acquired
		rec.Token = d.token(rec.Place)
		if acquired := d.Number(); acquired != 0 {
			rec.Acquired = time.UnixMicro(int64(acquired)).UTC()
		}
	}
	return d.End()
}

// A share is the last of a value, and left out if it is Alone.
func (e *encoder) share(s store.Share) {
	if s != store.Alone {
		e.Duration(time.Duration(s))
	}
}

func (d *decoder) share() store.Share {
	if !d.More() {
		return store.Alone
	}
	s := store.Share(d.Duration())
	if s == store.Alone || s < store.Shared {
		d.Fail()
	}
	return s
}

// A token within a value may be one that the same transaction draws, and is unknown when
// the value is encoded. So the value has either the token, or its distance from the
// number of the row or entry.
func (e *encoder) token(token, number uint64) {
	if token < drawn {
		e.Number(token << 1)
		return
	}
	e.Number((number-token)<<1 | 1)
}

func (d *decoder) token(number uint64) uint64 {
	n := d.Number()
	if n&1 == 0 {
		return n >> 1
	}
	return number - n>>1
}

// encodeWaiter returns the value of a waiter. Its ID is the row's Data, its process the
// row's lease, its Seq and Since the row's own.
func encodeWaiter(t *store.Waiter) []byte {
	e := newEncoder(64 + len(t.Holder.Value) + len(t.Data) + len(t.Value))
	e.party(t.Holder)
	e.Text(t.Data)
	e.Duration(t.Terms.Idle)
	e.Duration(t.Terms.MaxHold)
	e.Text(t.Value)
	e.Duration(t.ConfirmWithin)
	e.Duration(t.GrantAfter)
	e.token(t.Asked, t.Seq)
	if note := t.Event; note != nil || t.Share != store.Alone {
		if note == nil {
			note = &store.Event{} // one without a kind is none
		}
		e.Text(note.Kind)
		e.party(note.Actor)
		e.Text(note.Reason)
		e.share(t.Share)
	}
	return e.Encoder
}

func decodeWaiter(value []byte, seq uint64) (store.Waiter, error) {
	d := newDecoder(value)
	t := store.Waiter{Seq: seq, Holder: d.party(), Data: d.Text()}
	t.Terms = store.Terms{Idle: d.Duration(), MaxHold: d.Duration()}
	t.Value, t.ConfirmWithin, t.GrantAfter, t.Asked = d.Text(), d.Duration(), d.Duration(), d.token(seq)
	if d.More() {
		t.Event = &store.Event{Kind: d.Text(), Actor: d.party(), Reason: d.Text()}
		if t.Share = d.share(); t.Event.Kind == "" {
			t.Event = nil
		}
	}
	return t, d.End()
}

// encodeEntry returns the value of a log entry. The number is that of the kv.Entry. So is
// the time, unless before says that it is earlier than the transaction.
func encodeEntry(e *store.LogEntry, before bool) []byte {
	v := newEncoder(64 + len(e.Name) + len(e.Owner.Value) + len(e.Actor.Value) + len(e.Other.Value))
	v.Text(e.Kind)
	v.Text(e.Name)
	v.token(e.Token, e.Seq)
	var own uint64
	if before {
		own = uint64(e.At.UnixMicro())
	}
	v.Number(own)
	v.party(e.Owner)
	v.party(e.Actor)
	v.party(e.Other)
	v.Text(e.Reason)
	v.Text(e.Request)
	if v.share(e.Share); e.Share != store.Alone {
		v.token(e.Replaced, e.Seq)
	}
	return v.Encoder
}

func decodeEntry(value []byte, number uint64, at time.Time) (store.LogEntry, error) {
	d := newDecoder(value)
	e := store.LogEntry{Seq: number, At: at, Kind: d.Text(), Name: d.Text(), Token: d.token(number)}
	if own := d.Number(); own != 0 {
		e.At = time.UnixMicro(int64(own)).UTC()
	}
	e.Owner, e.Actor, e.Other, e.Reason, e.Request = d.party(), d.party(), d.party(), d.Text(), d.Text()
	if e.Share = d.share(); e.Share != store.Alone {
		e.Replaced = d.token(number)
	}
	return e, d.End()
}
