package sqlite

import (
	"database/sql"
	"encoding/json"
	"time"

	"editlock/store"
)

// How records, tickets and entries stand in their tables.

const recordColumns = "name, token, session, user, value, data, idle, max_hold, taken, touched, expires, request"

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

func scanRecord(row scanner, more ...any) (*store.Record, error) {
	var (
		r              store.Record
		taken, touched int64
		expires        sql.NullInt64
	)
	err := row.Scan(append([]any{
		&r.Name, &r.Token, &r.Holder.Session, &r.Holder.User, &r.Holder.Value, &r.Data,
		&r.Terms.Idle, &r.Terms.MaxHold, &taken, &touched, &expires, &r.Request,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	r.Taken, r.Touched = fromMicros(taken), fromMicros(touched)
	if expires.Valid {
		r.Expires = fromMicros(expires.Int64)
	}
	return &r, nil
}

func recordArgs(args []any, r *store.Record) []any {
	return append(args,
		r.Name, int64(r.Token), r.Holder.Session, r.Holder.User, r.Holder.Value, r.Data,
		int64(r.Terms.Idle), int64(r.Terms.MaxHold), micros(r.Taken), micros(r.Touched), micros(r.Expires), r.Request)
}

// parties are those of an entry: what its body keeps.
type parties struct {
	Owner  *store.Party `json:"o,omitempty"`
	Actor  *store.Party `json:"a,omitempty"` // absent: the owner
	Other  *store.Party `json:"x,omitempty"`
	Reason string       `json:"r,omitempty"`
}

const entryColumns = "seq, kind, name, token, at, request, body"

func scanEntry(row scanner) (store.Entry, error) {
	var (
		e    store.Entry
		at   int64
		body []byte
	)
	if err := row.Scan(&e.Seq, &e.Kind, &e.Name, &e.Token, &at, &e.Request, &body); err != nil {
		return e, err
	}
	e.At = fromMicros(at)
	var p parties
	if err := json.Unmarshal(body, &p); err != nil {
		return e, err
	}
	if p.Owner != nil {
		e.Owner = *p.Owner
	}
	e.Actor = e.Owner
	if p.Actor != nil {
		e.Actor = *p.Actor
	}
	if p.Other != nil {
		e.Other = *p.Other
	}
	e.Reason = p.Reason
	return e, nil
}

func entryArgs(args []any, e *store.Entry) []any {
	p := parties{Owner: &e.Owner, Reason: e.Reason}
	actor, other := "", ""
	if e.Actor != e.Owner {
		p.Actor = &e.Actor
		if e.Actor.User != e.Owner.User {
			actor = e.Actor.User
		}
	}
	if e.Other != (store.Party{}) {
		p.Other = &e.Other
		if e.Other.User != e.Owner.User {
			other = e.Other.User
		}
	}
	body, _ := json.Marshal(p) // strings only: can't fail
	return append(args, int64(e.Seq), e.Kind, e.Name, int64(e.Token), micros(e.At),
		e.Owner.User, actor, other, e.Request, string(body))
}

func scanTicket(row scanner) (store.Ticket, error) {
	var (
		t     store.Ticket
		body  []byte
		claim sql.NullInt64
	)
	var (
		id, name, peer string
		seq            uint64
		answer         int64 // also in the body
	)
	if err := row.Scan(&id, &name, &seq, &peer, &claim, &answer, &body); err != nil {
		return t, err
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return t, err
	}
	t.ID, t.Name, t.Seq, t.Peer = id, name, seq, peer
	t.Since = t.Since.UTC()
	if claim.Valid {
		t.Claim = fromMicros(claim.Int64)
	}
	return t, nil
}

func ticketArgs(t store.Ticket) []any {
	body, _ := json.Marshal(t) // strings, numbers and times: can't fail
	return []any{t.ID, t.Name, int64(t.Seq), t.Peer, micros(t.Claim), t.ClaimAfter.Microseconds(), string(body)}
}

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// micros is nil, for NULL, where there is no time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
