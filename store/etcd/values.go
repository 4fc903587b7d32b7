package etcd

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

// version is that of the keys and values. An editlock that knows another one
// leaves the store alone.
const version = 1

// head is the value that every step replaces, which puts all steps of a store
// in one order. Times are microseconds since 1970.
type head struct {
	Version int    `json:"version"`
	Seq     uint64 `json:"seq"`               // the last number given out
	Logged  uint64 `json:"logged,omitempty"`  // the number of the last log entry
	Floor   uint64 `json:"floor,omitempty"`   // log entries up to this one may be pruned
	Entries int64  `json:"entries,omitempty"` // in the log
	Named   uint64 `json:"named,omitempty"`   // steps of the log from this one on are found by name; 0: none are
	Tickets int64  `json:"tickets,omitempty"` // in all queues
	At      int64  `json:"at"`                // the store's time at the last step

	// The store's clock: see clock.
	Lease int64  `json:"lease,omitempty"` // whose age tells the time
	Term  uint64 `json:"term,omitempty"`  // of the leader that counts the lease's age
	Zero  int64  `json:"zero,omitempty"`  // the store's time when that age was 0

	Process string      `json:"process"`        // who took the last step
	News    [][2]string `json:"news,omitempty"` // peers, and their tickets that left their queues in it
}

// named is where the index by names begins. A writer of an older version drops
// the field, and the next one of this version begins again.
func (h head) named() uint64 {
	if h.Named == 0 {
		return 1 << 63
	}
	return h.Named
}

type party [3]string

func partyOf(p store.Party) party { return party{p.Session, p.User, p.Value} }

func (p party) party() store.Party { return store.Party{Session: p[0], User: p[1], Value: p[2]} }

type note struct {
	Kind   string `json:"kind"`
	Actor  party  `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

type terms struct {
	Idle    time.Duration `json:"idle,omitempty"` // nanoseconds
	MaxHold time.Duration `json:"max_hold,omitempty"`
}

type record struct {
	Token   uint64 `json:"token"`
	Holder  party  `json:"holder"`
	Data    string `json:"data,omitempty"`
	Terms   terms  `json:"terms"`
	Taken   int64  `json:"taken"`
	Touched int64  `json:"touched"`
	Expires int64  `json:"expires,omitempty"` // 0: never
	Request string `json:"request,omitempty"`
	Due     int64  `json:"due,omitempty"` // the time of its key among the dues
}

type ticket struct {
	ID         string        `json:"id"`
	Seq        uint64        `json:"seq"`
	Peer       string        `json:"peer"`
	Holder     party         `json:"holder"`
	Data       string        `json:"data,omitempty"`
	Terms      terms         `json:"terms"`
	Note       *note         `json:"note,omitempty"`
	Value      string        `json:"value,omitempty"`
	Since      int64         `json:"since"`
	Confirm    time.Duration `json:"confirm,omitempty"`
	Claim      int64         `json:"claim,omitempty"`
	Asked      uint64        `json:"asked,omitempty"`
	ClaimAfter time.Duration `json:"claim_after,omitempty"`
}

type entry struct {
	Seq     uint64 `json:"seq"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Token   uint64 `json:"token"`
	At      int64  `json:"at"`
	Owner   party  `json:"owner"`
	Actor   party  `json:"actor"`
	Other   party  `json:"other"`
	Reason  string `json:"reason,omitempty"`
	Request string `json:"request,omitempty"`
}

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

// encode is the JSON of a value; none of ours can fail.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func encodeRecord(r *store.Record, due int64) string {
	return encode(record{
		Token: r.Token, Holder: partyOf(r.Holder), Data: r.Data, Terms: terms(r.Terms), Request: r.Request,
		Taken: micros(r.Taken), Touched: micros(r.Touched), Expires: micros(r.Expires), Due: due,
	})
}

func decodeRecord(name string, value []byte) (*store.Record, int64, error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, 0, fmt.Errorf("the record of %q is corrupt: %w", name, err)
	}
	return &store.Record{
		Name: name, Token: r.Token, Holder: r.Holder.party(), Data: r.Data, Terms: store.Terms(r.Terms), Request: r.Request,
		Taken: fromMicros(r.Taken), Touched: fromMicros(r.Touched), Expires: fromMicros(r.Expires),
	}, r.Due, nil
}

func encodeTicket(t *store.Ticket) string {
	v := ticket{
		ID: t.ID, Seq: t.Seq, Peer: t.Peer, Holder: partyOf(t.Holder), Data: t.Data, Terms: terms(t.Terms), Value: t.Value,
		Since: micros(t.Since), Confirm: t.Confirm, Claim: micros(t.Claim), Asked: t.Asked, ClaimAfter: t.ClaimAfter,
	}
	if t.Note != nil {
		v.Note = &note{t.Note.Kind, partyOf(t.Note.Actor), t.Note.Reason}
	}
	return encode(v)
}

func decodeTicket(name string, value []byte) (store.Ticket, error) {
	var v ticket
	if err := json.Unmarshal(value, &v); err != nil {
		return store.Ticket{}, fmt.Errorf("a ticket of %q is corrupt: %w", name, err)
	}
	t := store.Ticket{
		ID: v.ID, Name: name, Seq: v.Seq, Peer: v.Peer, Holder: v.Holder.party(), Data: v.Data, Terms: store.Terms(v.Terms),
		Value: v.Value, Since: fromMicros(v.Since), Confirm: v.Confirm, Claim: fromMicros(v.Claim), Asked: v.Asked,
		ClaimAfter: v.ClaimAfter,
	}
	if v.Note != nil {
		t.Note = &store.Note{Kind: v.Note.Kind, Actor: v.Note.Actor.party(), Reason: v.Note.Reason}
	}
	return t, nil
}

// packFrom is from what length on a log value is compressed: the entries of
// one step are much alike, and etcd bounds the bytes of one.
const packFrom = 2048

// encodeLog is the value that holds the entries of one step: JSON, or, if it
// begins with a zero byte, compressed JSON.
func encodeLog(entries []store.Entry) string {
	list := make([]entry, len(entries))
	for i, e := range entries {
		list[i] = entry{
			Seq: e.Seq, Kind: e.Kind, Name: e.Name, Token: e.Token, At: micros(e.At), Owner: partyOf(e.Owner),
			Actor: partyOf(e.Actor), Other: partyOf(e.Other), Reason: e.Reason, Request: e.Request,
		}
	}
	plain := encode(list)
	if len(plain) < packFrom {
		return plain
	}
	var packed bytes.Buffer
	packed.WriteByte(0)
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is right
	}
	_, _ = io.WriteString(w, plain) // to memory: can't fail
	_ = w.Close()
	return packed.String()
}

// unpacker undoes the compression of one value after the other: making one
// costs more than what most values take.
type unpacker struct {
	from  bytes.Reader
	flate io.ReadCloser
	plain bytes.Buffer
}

var unpackers = sync.Pool{New: func() any { return &unpacker{flate: flate.NewReader(nil)} }}

// unpack returns what is good until the next call.
func (u *unpacker) unpack(packed []byte) ([]byte, error) {
	u.from.Reset(packed)
	u.plain.Reset()
	if err := u.flate.(flate.Resetter).Reset(&u.from, nil); err != nil {
		return nil, err
	}
	_, err := u.plain.ReadFrom(u.flate)
	return u.plain.Bytes(), err
}

func decodeLog(value []byte) ([]store.Entry, error) {
	if len(value) > 0 && value[0] == 0 {
		u, _ := unpackers.Get().(*unpacker)
		defer unpackers.Put(u)
		plain, err := u.unpack(value[1:])
		if err != nil {
			return nil, fmt.Errorf("the log is corrupt: %w", err)
		}
		value = plain
	}
	var list []entry
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, fmt.Errorf("the log is corrupt: %w", err)
	}
	entries := make([]store.Entry, len(list))
	for i, e := range list {
		entries[i] = store.Entry{
			Seq: e.Seq, Kind: e.Kind, Name: e.Name, Token: e.Token, At: fromMicros(e.At), Owner: e.Owner.party(),
			Actor: e.Actor.party(), Other: e.Other.party(), Reason: e.Reason, Request: e.Request,
		}
	}
	return entries, nil
}
