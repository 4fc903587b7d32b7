package postgres

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"editlock/store"
)

const lastSeq = `greatest(m.seq, (SELECT l.seq FROM @schema@.editlock_log l ORDER BY l.seq DESC LIMIT 1))`

const lastQuery = `SELECT ` + lastSeq + ` FROM @schema@.editlock_meta m`

// logQuery reads a page and what goes with it at one moment.
const logQuery = `SELECT m.floor, ` + lastSeq + `, e.seq, e.kind, e.name, e.token, e.at, e.owner_session, e.owner_user, e.owner_value,
		e.actor_session, e.actor_user, e.actor_value, e.other_session, e.other_user, e.other_value, e.reason, e.request
	FROM @schema@.editlock_meta m LEFT JOIN LATERAL (%s ORDER BY seq %s LIMIT %d) e ON true ORDER BY e.seq %[2]s`

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
	text, args := logParts(q)
	order := "ASC"
	if q.Newest {
		order = "DESC"
	}
	err = s.read(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.target.fill(fmt.Sprintf(logQuery, text, order, q.Limit)), args...)
		if err != nil {
			return err
		}
		page, err = readLog(rows)
		return err
	})
	return page, err
}

// follows reports whether a query is of somebody who reads on behind the last
// entry seen.
func follows(q store.LogQuery) bool {
	return !q.Newest && q.After < math.MaxInt64 && q.Limit > 1 && q.Before == 0 && q.Name == "" && q.Prefix == "" && q.User == "" &&
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

// logParts is the query for the entries, and its arguments.
func logParts(q store.LogQuery) (string, []any) {
	var w where
	w.prefix("l.name", q.Prefix)
	w.add("l.name = %s", q.Name, q.Name != "")
	w.add("l.request = %s AND l.request <> ''", q.Request, q.Request != "")
	w.add("l.kind = ANY (%s)", q.Kinds, len(q.Kinds) > 0)
	w.add("l.at >= %s", ceilMicros(q.From), !q.From.IsZero())
	w.add("l.at < %s", ceilMicros(q.To), !q.To.IsZero())
	w.add("l.seq > %s", int64(q.After), q.After > 0)
	w.add("l.seq < %s", int64(min(q.Before, math.MaxInt64)), q.Before > 0)
	const all = "SELECT l.* FROM @schema@.editlock_log l WHERE true"
	if q.User == "" {
		return all + w.String(), w.args
	}
	// Three indexes, each of which gives as many as are wanted.
	w.add("%s <> ''", q.User, true)
	order := "ASC"
	if q.Newest {
		order = "DESC"
	}
	parts := make([]string, 0, 3)
	for _, party := range []string{"owner", "actor", "other"} {
		parts = append(parts, fmt.Sprintf("(%s%s AND l.%s_user = $%d AND l.%[3]s_user <> '' ORDER BY l.seq %[5]s LIMIT %[6]d)",
			all, w.String(), party, max(1, len(w.args)), order, q.Limit))
	}
	return "SELECT * FROM (" + strings.Join(parts, " UNION ") + ") u", w.args
}

// ceilMicros is a bound on whole microseconds that means the same.
func ceilMicros(t time.Time) int64 {
	n := t.UnixMicro()
	if time.UnixMicro(n).Before(t) {
		n++
	}
	return n
}

func readLog(rows pgx.Rows) (page store.LogPage, err error) {
	defer rows.Close()
	for rows.Next() {
		var (
			floor, last                                                         int64
			seq, token, at                                                      pgtype.Int8
			kind, name, reason, request, ownerS, ownerU, ownerV, actorS, actorU pgtype.Text
			actorV, otherS, otherU, otherV                                      pgtype.Text
		)
		if err := rows.Scan(&floor, &last, &seq, &kind, &name, &token, &at, &ownerS, &ownerU, &ownerV,
			&actorS, &actorU, &actorV, &otherS, &otherU, &otherV, &reason, &request); err != nil {
			return page, err
		}
		page.Floor, page.Last = uint64(floor), uint64(last)
		if !seq.Valid {
			break
		}
		e := store.Entry{
			Seq: uint64(seq.Int64), Kind: kind.String, Name: name.String, Token: uint64(token.Int64), At: fromMicros(at.Int64),
			Owner:  store.Party{Session: ownerS.String, User: ownerU.String, Value: ownerV.String},
			Other:  store.Party{Session: otherS.String, User: otherU.String, Value: otherV.String},
			Reason: reason.String, Request: request.String,
		}
		e.Actor = e.Owner
		if actorS.Valid {
			e.Actor = store.Party{Session: actorS.String, User: actorU.String, Value: actorV.String}
		}
		page.Entries = append(page.Entries, e)
	}
	return page, rows.Err()
}
