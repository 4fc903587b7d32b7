package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/editlock/editlock/store"
)

const recordColumns = `r.token, r.session, r."user", r.value, r.data, r.idle, r.max_hold, r.taken, r.touched, r.expires, r.request`

// The clock is read once, after the statement's snapshot was taken: nothing
// that is seen is later.
const clock = `(SELECT @schema@.editlock_now() AS now OFFSET 0) c`

const getQuery = `SELECT c.now, ` + recordColumns + `, w.waiting, w.waiters
	FROM ` + clock + ` LEFT JOIN @schema@.editlock_record r ON r.name = $1
	LEFT JOIN LATERAL @schema@.editlock_waiters(r.name, c.now) w ON r.name IS NOT NULL`

const listQuery = `SELECT c.now, r.name, ` + recordColumns + `, w.waiting, w.waiters
	FROM ` + clock + ` LEFT JOIN LATERAL (
		SELECT * FROM @schema@.editlock_record r WHERE (r.expires IS NULL OR r.expires > c.now)%s ORDER BY r.name LIMIT %d
	) r ON true
	LEFT JOIN LATERAL @schema@.editlock_waiters(r.name, c.now) w ON r.name IS NOT NULL
	ORDER BY r.name`

// recordFields are a record's columns; all NULL if there is none.
type recordFields struct {
	token, idle, maxHold, taken, touched, expires, waiting pgtype.Int8
	session, user, value, data, request                    pgtype.Text
	waiters                                                []byte
}

func (f *recordFields) record(name string) (*store.Record, error) {
	if !f.token.Valid {
		return nil, nil
	}
	rec := &store.Record{
		Name: name, Token: uint64(f.token.Int64), Data: f.data.String, Request: f.request.String,
		Holder: store.Party{Session: f.session.String, User: f.user.String, Value: f.value.String},
		Terms:  store.Terms{Idle: time.Duration(f.idle.Int64), MaxHold: time.Duration(f.maxHold.Int64)},
		Taken:  fromMicros(f.taken.Int64), Touched: fromMicros(f.touched.Int64), Waiting: int(f.waiting.Int64),
	}
	if f.expires.Valid {
		rec.Expires = fromMicros(f.expires.Int64)
	}
	var err error
	rec.Waiters, err = decodeWaiters(f.waiters, rec)
	return rec, err
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name string) (view store.View, err error) {
	if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
		name = "" // nothing has such a name; nor has anything none
	}
	err = s.read(ctx, func(ctx context.Context) error {
		var (
			now int64
			f   recordFields
		)
		err := s.pool.QueryRow(ctx, s.query.get, name).Scan(&now, &f.token, &f.session, &f.user, &f.value, &f.data, &f.idle,
			&f.maxHold, &f.taken, &f.touched, &f.expires, &f.request, &f.waiting, &f.waiters)
		if err != nil {
			return err
		}
		rec, err := f.record(name)
		view = store.View{Now: fromMicros(now)}
		if rec.Live(view.Now) {
			view.Record = rec
		}
		return err
	})
	return view, err
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var w where
	w.prefix("r.name", q.Prefix)
	w.add("r.name > %s", q.After, q.After != "")
	w.add("r.session = %s AND r.session <> ''", q.Session, q.Session != "")
	w.add(`r."user" = %s AND r."user" <> ''`, q.User, q.User != "")
	err = s.read(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, fmt.Sprintf(s.query.list, w.String(), q.Limit), w.args...)
		if err != nil {
			return err
		}
		page, err = readPage(rows)
		return err
	})
	return page, err
}

func readPage(rows pgx.Rows) (page store.Page, err error) {
	defer rows.Close()
	for rows.Next() {
		var (
			now  int64
			name pgtype.Text
			f    recordFields
		)
		err := rows.Scan(&now, &name, &f.token, &f.session, &f.user, &f.value, &f.data, &f.idle,
			&f.maxHold, &f.taken, &f.touched, &f.expires, &f.request, &f.waiting, &f.waiters)
		if err != nil {
			return page, err
		}
		page.Now = fromMicros(now)
		rec, err := f.record(name.String)
		if err != nil {
			return page, err
		}
		if rec != nil {
			page.Records = append(page.Records, *rec)
		}
	}
	return page, rows.Err()
}

// where collects the conditions of a query.
type where struct {
	text strings.Builder
	args []any
}

// add adds a condition with one argument, whose place %s shows.
func (w *where) add(text string, arg any, wanted bool) {
	if !wanted {
		return
	}
	if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.Contains(s, "\x00")) {
		w.text.WriteString(" AND false") // no text in the database is like that
		return
	}
	w.args = append(w.args, arg)
	fmt.Fprintf(&w.text, " AND "+text, fmt.Sprintf("$%d", len(w.args)))
}

// prefix selects texts that begin so, by bytes, as a range that the index
// knows.
func (w *where) prefix(column, p string) {
	if p == "" {
		return
	}
	whole := store.WholeLetters(p)
	if whole != p { // ends amid a letter, or is no text at all
		w.add("substring(convert_to("+column+", 'UTF8') FROM 1 FOR "+fmt.Sprint(len(p))+") = %s", []byte(p), true)
	}
	w.add(column+" >= %s", whole, whole != "")
	end := after(whole)
	w.add(column+" < %s", end, end != "")
}

// after is the least text behind all that begin with p; empty: there is none.
// The order of UTF-8 by bytes is that of its letters' numbers.
func after(p string) string {
	letters := []rune(p)
	for i := len(letters) - 1; i >= 0; i-- {
		switch next := letters[i] + 1; {
		case next > utf8.MaxRune:
			continue
		case next == 0xD800: // no letters: surrogates
			return string(letters[:i]) + "\uE000"
		default:
			return string(letters[:i]) + string(next)
		}
	}
	return ""
}

func (w *where) String() string { return w.text.String() }
