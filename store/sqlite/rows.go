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

func scanTicket(row scanner) (store.Ticket, error) {
	var (
		t     store.Ticket
		body  []byte
		claim sql.NullInt64
	)
	var (
		id, name, peer string
		seq, asked     uint64
	)
	if err := row.Scan(&id, &name, &seq, &peer, &claim, &asked, &body); err != nil {
		return t, err
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return t, err
	}
	t.ID, t.Name, t.Seq, t.Peer, t.Asked = id, name, seq, peer, asked
	t.Since = t.Since.UTC()
	if claim.Valid {
		t.Claim = fromMicros(claim.Int64)
	}
	return t, nil
}

func ticketArgs(t store.Ticket) []any {
	body, _ := json.Marshal(t) // strings, numbers and times: can't fail
	return []any{t.ID, t.Name, int64(t.Seq), t.Peer, micros(t.Claim), int64(t.Asked), string(body)}
}

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// micros is nil, for NULL, where there is no time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
