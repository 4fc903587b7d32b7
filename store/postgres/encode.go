package postgres

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/editlock/editlock/store"
)

// How requests and tickets are written for the functions in swap.sql.

type requestJSON struct {
	ID    string     `json:"id,omitempty"`
	Swaps []swapJSON `json:"swaps"`
}

type swapJSON struct {
	Name    string        `json:"name"`
	Do      store.Action  `json:"do"`
	Expect  *expectJSON   `json:"x,omitempty"`
	Session *string       `json:"s,omitempty"`
	User    *string       `json:"u,omitempty"`
	Value   *string       `json:"v,omitempty"`
	Data    *string       `json:"data,omitempty"`
	Idle    time.Duration `json:"idle"`
	MaxHold time.Duration `json:"max"`
	Confirm time.Duration `json:"confirm,omitempty"`
	Ticket  string        `json:"ticket,omitempty"`
	Peer    *string       `json:"peer,omitempty"`
	Body    *ticketJSON   `json:"body,omitempty"`
	Note    *noteJSON     `json:"note,omitempty"`
}

type expectJSON struct {
	Free    bool    `json:"free,omitempty"`
	Token   int64   `json:"token,omitempty"`
	Session *string `json:"session,omitempty"`
	Data    *string `json:"data,omitempty"`
	Waiting bool    `json:"waiting,omitempty"`
}

type partyJSON struct {
	Session string `json:"s"`
	User    string `json:"u"`
	Value   string `json:"v"`
}

type noteJSON struct {
	partyJSON
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// ticketJSON is the body of a ticket, and with the fields at the end a whole
// one, as editlock_waiters returns it.
type ticketJSON struct {
	Holder  partyJSON     `json:"holder"`
	Data    string        `json:"data"`
	Idle    time.Duration `json:"idle"`
	MaxHold time.Duration `json:"max"`
	Confirm time.Duration `json:"confirm"`
	After   time.Duration `json:"after"`
	Value   string        `json:"value"`
	Note    *noteJSON     `json:"note,omitempty"`

	ID    string `json:"id,omitempty"`
	Seq   uint64 `json:"seq,omitempty"`
	Peer  string `json:"peer,omitempty"`
	Since int64  `json:"since,omitempty"`
	Claim *int64 `json:"claim,omitempty"`
	Asked uint64 `json:"asked,omitempty"`
}

// encode writes a request. Texts that PostgreSQL could not keep as they are
// fail here.
func encode(req store.Request) ([]byte, error) {
	var e encoder
	out := requestJSON{ID: e.text("the request's ID", req.ID), Swaps: make([]swapJSON, len(req.Swaps))}
	for i, sw := range req.Swaps {
		out.Swaps[i] = e.swap(sw)
	}
	if e.err != nil {
		return nil, e.err
	}
	return json.Marshal(out)
}

type encoder struct{ err error }

func (e *encoder) text(what, s string) string {
	if e.err == nil && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
		e.err = fmt.Errorf("postgres: %s must be UTF-8 without NUL bytes, not %q", what, s)
	}
	return s
}

func (e *encoder) ptr(what string, s *string) *string {
	if s != nil {
		e.text(what, *s)
	}
	return s
}

func (e *encoder) swap(sw store.Swap) swapJSON {
	out := swapJSON{Name: e.text("a name", sw.Name), Do: sw.Do, Data: e.ptr("the data", sw.Data), Confirm: sw.Confirm, Note: e.note(sw.Note)}
	if x := sw.Expect; x != (store.Expect{}) {
		out.Expect = &expectJSON{
			Free: x.Free, Token: int64(x.Token), Waiting: x.Waiting,
			Session: e.ptr("a session", x.Session), Data: e.ptr("the data", x.Data),
		}
		if x.Token > math.MaxInt64 {
			out.Expect.Token = -1 // no record has such a token
		}
	}
	if h := sw.Holder; h != nil {
		p := e.party(*h)
		out.Session, out.User, out.Value = &p.Session, &p.User, &p.Value
	}
	if sw.Terms != nil {
		out.Idle, out.MaxHold = sw.Terms.Idle, sw.Terms.MaxHold
	}
	if t := sw.Ticket; t != nil && (sw.Do == store.Join || sw.Do == store.Leave) {
		out.Ticket = e.text("a ticket's ID", t.ID)
		if sw.Do == store.Join || t.Peer != "" {
			out.Peer = e.ptr("a peer", &t.Peer)
		}
		if sw.Do == store.Join {
			out.Body = &ticketJSON{
				Holder: e.party(t.Holder), Data: e.text("the data", t.Data), Idle: t.Terms.Idle, MaxHold: t.Terms.MaxHold,
				Confirm: t.Confirm, After: t.ClaimAfter, Value: e.text("a ticket's value", t.Value), Note: e.note(t.Note),
			}
		}
	}
	return out
}

func (e *encoder) party(p store.Party) partyJSON {
	return partyJSON{e.text("a session", p.Session), e.text("a user", p.User), e.text("a holder", p.Value)}
}

func (e *encoder) note(n *store.Note) *noteJSON {
	if n == nil {
		return nil
	}
	return &noteJSON{partyJSON: e.party(n.Actor), Kind: e.text("a kind", n.Kind), Reason: e.text("a reason", n.Reason)}
}

func (p partyJSON) party() store.Party { return store.Party(p) }

// decodeWaiters reads what editlock_waiters returns, for the record that they
// wait for.
func decodeWaiters(text []byte, rec *store.Record) ([]store.Ticket, error) {
	if text == nil {
		return nil, nil
	}
	var in []ticketJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	return waitersOf(in, rec), nil
}

func waitersOf(in []ticketJSON, rec *store.Record) []store.Ticket {
	if in == nil {
		return nil
	}
	out := make([]store.Ticket, len(in))
	for i, t := range in {
		out[i] = store.Ticket{
			ID: t.ID, Name: rec.Name, Seq: t.Seq, Peer: t.Peer, Holder: t.Holder.party(), Data: t.Data,
			Terms: store.Terms{Idle: t.Idle, MaxHold: t.MaxHold}, Value: t.Value, Since: fromMicros(t.Since),
			Confirm: t.Confirm, Asked: t.Asked, ClaimAfter: t.After,
		}
		if t.Note != nil {
			out[i].Note = &store.Note{Kind: t.Note.Kind, Actor: t.Note.party(), Reason: t.Note.Reason}
		}
		if t.Claim != nil {
			out[i].Claim = fromMicros(*t.Claim)
		}
		out[i].Claim = out[i].ClaimOn(rec)
	}
	return out
}

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
