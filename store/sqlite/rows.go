package sqlite

import (
	"database/sql"
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

func scanTicket(row scanner) (store.Ticket, error) {
	var (
		t     store.Ticket
		note  store.Note
		kind  sql.NullString
		since int64
		claim sql.NullInt64
	)
	err := row.Scan(
		&t.ID, &t.Name, &t.Seq, &t.Peer, &t.Holder.Session, &t.Holder.User, &t.Holder.Value, &t.Data,
		&t.Terms.Idle, &t.Terms.MaxHold, &kind, &note.Actor.Session, &note.Actor.User, &note.Actor.Value, &note.Reason,
		&t.Value, &since, &t.Confirm, &t.ClaimAfter, &claim, &t.Asked,
	)
	if kind.Valid {
		note.Kind = kind.String
		t.Note = &note
	}
	t.Since = fromMicros(since)
	if claim.Valid {
		t.Claim = fromMicros(claim.Int64)
	}
	return t, err
}

func ticketArgs(t store.Ticket) []any {
	var (
		note store.Note
		kind any // NULL
	)
	if t.Note != nil {
		note, kind = *t.Note, t.Note.Kind
	}
	return []any{
		t.ID, t.Name, int64(t.Seq), t.Peer, t.Holder.Session, t.Holder.User, t.Holder.Value, t.Data,
		int64(t.Terms.Idle), int64(t.Terms.MaxHold), kind, note.Actor.Session, note.Actor.User, note.Actor.Value, note.Reason,
		t.Value, t.Since.UnixMicro(), int64(t.Confirm), int64(t.ClaimAfter), micros(t.Claim), int64(t.Asked),
	}
}

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// micros is nil, for NULL, where there is no time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
