package postgres

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/editlock/editlock/store"
)

const lastSeq = `greatest(m.seq, (SELECT l.seq FROM @schema@.editlock_log l ORDER BY l.seq DESC LIMIT 1))`

const lastQuery = `SELECT ` + lastSeq + ` FROM @schema@.editlock_meta m`

const logColumns = `e.seq, e.kind, e.name, e.token, e.at, e.owner_session, e.owner_user, e.owner_value, e.actor_session, e.actor_user,
		e.actor_value, e.other_session, e.other_user, e.other_value, e.reason, e.request`

// logQuery reads a page and what goes with it at one moment: of the entries that
// are examined, how many they are and the last one, and those that match.
const logQuery = `WITH x AS MATERIALIZED (%s ORDER BY seq %s LIMIT %d)
	SELECT m.floor, ` + lastSeq + `, (SELECT count(*) FROM x), (SELECT seq FROM x ORDER BY seq %s LIMIT 1), ` + logColumns + `
	FROM @schema@.editlock_meta m LEFT JOIN LATERAL (SELECT * FROM x l WHERE true%s ORDER BY seq %[2]s LIMIT %[6]d) e ON true
	ORDER BY e.seq %[2]s`

// endsQuery finds the first entry of each of many names.
const endsQuery = `SELECT m.floor, h.i, ` + logColumns + `
	FROM @schema@.editlock_meta m
	LEFT JOIN LATERAL unnest($1::text[], $2::bigint[]) WITH ORDINALITY h (name, token, i) ON true
	LEFT JOIN LATERAL (SELECT * FROM (
		SELECT * FROM @schema@.editlock_log l WHERE l.name = h.name AND l.seq > h.token ORDER BY l.name, l.seq LIMIT $4
	) l WHERE l.kind = ANY ($3) ORDER BY l.seq LIMIT 1) e ON true`

const (
	// watchLease is how long a process that follows the log is told of its
	// growth; watchRenew is how often it says that it still does.
	watchLease = 10 * time.Second
	watchRenew = 3 * time.Second
)

// Log implements store.Store.
func (s *Store) Log(ctx context.Context, q store.LogQuery) (page store.LogPage, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	if q.After > math.MaxInt64 {
		q.After = math.MaxInt64
	}
	if follows(q) && s.Listening() {
		s.watch(ctx)
	}
	examine := q.Limit + store.LogPiece
	found, sifted, args := logParts(q, examine)
	if sifted == "" {
		examine = q.Limit
	}
	order, back := "ASC", "DESC"
	if q.Newest {
		order, back = back, order
	}
	text := s.target.fill(fmt.Sprintf(logQuery, found, order, examine, back, sifted, q.Limit))
	err = s.read(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		page, err = readLog(rows, q.Limit, examine)
		return err
	})
	return page, err
}

// Ends implements store.Store.
func (s *Store) Ends(ctx context.Context, holds []store.Hold, kinds []string) (ends store.Ends, err error) {
	names, tokens := make([]string, len(holds)), make([]int64, len(holds))
	for i, h := range holds {
		names[i], tokens[i] = h.Name, int64(min(h.Token, math.MaxInt64))
		if !utf8.ValidString(h.Name) || strings.Contains(h.Name, "\x00") {
			names[i] = "" // no name in the database is like that, nor empty
		}
	}
	err = s.read(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.query.ends, names, tokens, kinds, store.EndsWithin(len(holds)))
		if err != nil {
			return err
		}
		defer rows.Close()
		ends = store.Ends{Entries: make([]*store.Entry, len(holds))}
		for rows.Next() {
			var (
				floor int64
				place pgtype.Int8
				f     entryFields
			)
			if err := rows.Scan(append([]any{&floor, &place}, f.targets()...)...); err != nil {
				return err
			}
			ends.Floor = uint64(floor)
			if f.seq.Valid {
				e := f.entry()
				ends.Entries[place.Int64-1] = &e
			}
		}
		return rows.Err()
	})
	return ends, err
}

// follows reports whether a query is of somebody who reads on behind the last
// entry seen.
func follows(q store.LogQuery) bool {
	return !q.Newest && q.After < math.MaxInt64 && q.Limit > 1 && q.Before == 0 && q.Name == "" && q.Prefix == "" && q.Infix == "" && q.User == "" &&
		q.Request == "" && q.Kinds == nil && q.From.IsZero() && q.To.IsZero()
}

// watch asks to be told of the log's growth by those who write it. If it
// fails, this process looks for itself, as it does anyway.
func (s *Store) watch(ctx context.Context) {
	if !s.watching.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(watchRenew, func() { s.watching.Store(false) })
	_ = s.read(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, s.query.watch, s.process, watchLease.Microseconds())
		return err
	})
}

// logParts is the query for the entries to examine, which an index finds, and
// the condition of those that match, with the arguments of both.
func logParts(q store.LogQuery, examine int) (found, sifted string, args []any) {
	var w where
	w.add("l.name = %s", q.Name, q.Name != "")
	w.add("l.request = %s AND l.request <> ''", q.Request, q.Request != "")
	w.add("l.seq > %s", int64(q.After), q.After > 0)
	w.add("l.seq < %s", int64(min(q.Before, math.MaxInt64)), q.Before > 0)
	const all = "SELECT l.* FROM @schema@.editlock_log l WHERE true"
	found = all + w.String()
	if q.User != "" {
		// Three indexes, each of which gives as many as are examined.
		order := "ASC"
		if q.Newest {
			order = "DESC"
		}
		const party = "(%s AND l.%s_user = $%d AND l.%[2]s_user <> '' ORDER BY l.seq %[4]s LIMIT %[5]d)"
		if w.add("%s <> ''", q.User, true); strings.HasSuffix(w.String(), "false") {
			return all + w.String(), "", w.args
		}
		parts := make([]string, 0, 3)
		for _, which := range []string{"owner", "actor", "other"} {
			parts = append(parts, fmt.Sprintf(party, all+w.String(), which, len(w.args), order, examine))
		}
		found = "SELECT * FROM (" + strings.Join(parts, " UNION ") + ") u"
	}
	sift := where{args: w.args}
	sift.prefix("l.name", q.Prefix)
	sift.add("strpos(l.name, %s) > 0", q.Infix, q.Infix != "")
	sift.add("l.kind = ANY (%s)", q.Kinds, len(q.Kinds) > 0)
	sift.add("l.at >= %s", ceilMicros(q.From), !q.From.IsZero())
	sift.add("l.at < %s", ceilMicros(q.To), !q.To.IsZero())
	return found, sift.String(), sift.args
}

// ceilMicros is a bound on whole microseconds that means the same.
func ceilMicros(t time.Time) int64 {
	n := t.UnixMicro()
	if time.UnixMicro(n).Before(t) {
		n++
	}
	return n
}

// entryFields are an entry's columns; all NULL if there is none.
type entryFields struct {
	seq, token, at                                 pgtype.Int8
	kind, name, reason, request                    pgtype.Text
	ownerS, ownerU, ownerV, actorS, actorU, actorV pgtype.Text
	otherS, otherU, otherV                         pgtype.Text
}

// targets are where the logColumns go.
func (f *entryFields) targets() []any {
	return []any{
		&f.seq, &f.kind, &f.name, &f.token, &f.at, &f.ownerS, &f.ownerU, &f.ownerV, &f.actorS, &f.actorU, &f.actorV,
		&f.otherS, &f.otherU, &f.otherV, &f.reason, &f.request,
	}
}

func (f *entryFields) entry() store.Entry {
	e := store.Entry{
		Seq: uint64(f.seq.Int64), Kind: f.kind.String, Name: f.name.String, Token: uint64(f.token.Int64), At: fromMicros(f.at.Int64),
		Owner:  store.Party{Session: f.ownerS.String, User: f.ownerU.String, Value: f.ownerV.String},
		Other:  store.Party{Session: f.otherS.String, User: f.otherU.String, Value: f.otherV.String},
		Reason: f.reason.String, Request: f.request.String,
	}
	e.Actor = e.Owner
	if f.actorS.Valid {
		e.Actor = store.Party{Session: f.actorS.String, User: f.actorU.String, Value: f.actorV.String}
	}
	return e
}

func readLog(rows pgx.Rows, limit, examine int) (page store.LogPage, err error) {
	defer rows.Close()
	for rows.Next() {
		var (
			floor, last int64
			furthest    pgtype.Int8
			f           entryFields
		)
		if err := rows.Scan(append([]any{&floor, &last, &page.Examined, &furthest}, f.targets()...)...); err != nil {
			return page, err
		}
		page.Floor, page.Last = uint64(floor), uint64(last)
		if f.seq.Valid {
			page.Entries = append(page.Entries, f.entry())
		}
		switch {
		case len(page.Entries) == limit:
			page.Next = page.Entries[limit-1].Seq
		case page.Examined == examine:
			page.Next = uint64(furthest.Int64)
		}
	}
	return page, rows.Err()
}
