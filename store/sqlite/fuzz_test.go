package sqlite

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"editlock/store"
	"editlock/store/sqlite/internal/dbfile"
)

// written gives what was written, as SQLite does: texts, whole numbers and NULL.
type written []any

func (r written) Scan(dest ...any) error {
	if len(r) != len(dest) {
		return fmt.Errorf("%d columns for %d variables", len(r), len(dest))
	}
	for i, value := range r {
		to := reflect.ValueOf(dest[i])
		if null, ok := dest[i].(sql.Scanner); ok {
			if err := null.Scan(value); err != nil {
				return err
			}
			continue
		}
		to.Elem().Set(reflect.ValueOf(value).Convert(to.Elem().Type()))
	}
	return nil
}

// FuzzRows writes records and tickets and reads them again.
func FuzzRows(f *testing.F) {
	f.Add("1", "s", "data", uint64(7), int64(time.Minute), int64(1), int64(0), true)
	f.Add("", "", "", uint64(0), int64(0), int64(-1), int64(1)<<50, false)
	f.Fuzz(func(t *testing.T, name, who, data string, token uint64, span, at, until int64, noted bool) {
		if token > 1<<63-1 || at < -1<<52 || at > 1<<52 || until < -1<<52 || until > 1<<52 {
			return // engines mint no such tokens, and know no such years
		}
		party := store.Party{Session: who, User: data, Value: name}
		rec := store.Record{
			Name: name, Token: token, Holder: party, Data: data, Terms: store.Terms{Idle: time.Duration(span), MaxHold: time.Duration(until)},
			Taken: fromMicros(at), Touched: fromMicros(until), Request: who,
		}
		if noted {
			rec.Expires = fromMicros(until)
		}
		got, err := scanRecord(written(recordArgs(nil, &rec)))
		if err != nil || !reflect.DeepEqual(*got, rec) {
			t.Fatalf("%+v is read as %+v, %v", rec, got, err)
		}
		ticket := store.Ticket{
			ID: who, Name: name, Seq: token, Peer: data, Holder: party, Data: data, Terms: rec.Terms, Value: name,
			Since: fromMicros(at), Confirm: time.Duration(span), Asked: token, ClaimAfter: time.Duration(until),
		}
		if noted {
			ticket.Claim, ticket.Note = fromMicros(until), &store.Note{Kind: data, Actor: party, Reason: who}
		}
		if got, err := scanTicket(written(ticketArgs(ticket))); err != nil || !reflect.DeepEqual(got, ticket) {
			t.Fatalf("%+v is read as %+v, %v", ticket, got, err)
		}
	})
}

// FuzzChunk writes entries and reads them again; what selects an entry never
// takes the chunk for one without it.
func FuzzChunk(f *testing.F) {
	f.Add("a/b/1", "u", "CAPTURE", "reason", uint64(1), uint8(1))
	f.Add("я/\"<&>\u2028/1", "u\\", "K", "\x00", uint64(1)<<62, uint8(2))
	f.Add("", "", "", "", uint64(0), uint8(255))
	f.Fuzz(func(t *testing.T, name, user, kind, reason string, seq uint64, cut uint8) {
		for _, text := range []string{name, user, kind, reason} {
			if !utf8.ValidString(text) {
				return // stores are given texts only
			}
		}
		entries := []store.Entry{
			{Seq: seq, Kind: kind, Name: name, Token: seq, At: fromMicros(int64(seq % (1 << 52))), Owner: store.Party{User: user, Value: reason}, Actor: store.Party{Session: reason}, Reason: reason},
			{Seq: seq, Kind: "K", Name: "n", At: fromMicros(1), Owner: store.Party{Session: "s"}, Actor: store.Party{Session: "s"}, Other: store.Party{User: user}, Request: reason},
		}
		args, err := dbfile.LogArgs(entries)
		if err != nil {
			t.Fatal(err)
		}
		c := dbfile.Chunk{Body: []byte(args[len(args)-1].(string))}
		got, err := c.Entries()
		if err != nil || !reflect.DeepEqual(got, entries) {
			t.Fatalf("%+v is read as %+v, %v", entries, got, err)
		}
		at := 0
		for one := range entryBodies(c.Body) {
			alone, err := (dbfile.Chunk{Body: slices.Concat([]byte("["), one, []byte("]"))}).Entries()
			if err != nil || !reflect.DeepEqual(alone, entries[at:at+1]) || string(nameIn(one)) != string(quoted(entries[at].Name)) {
				t.Fatalf("entry %d of %s is read as %+v of %s, %v", at, c.Body, alone, nameIn(one), err)
			}
			at++
		}
		if at != len(entries) {
			t.Fatalf("%d entries in %s", at, c.Body)
		}
		for _, q := range []store.LogQuery{
			{Name: name},
			{User: user},
			{Request: reason},
			{Kinds: []string{kind}},
			{Prefix: name[:min(int(cut), len(name))]},
			{Infix: name[min(int(cut), len(name)):]},
			{Name: name, User: user, Prefix: name, Kinds: []string{kind, "K"}},
		} {
			for _, e := range entries {
				if q.After, q.Before = 0, 0; q.Matches(e) && !newSieve(q).passes(c) {
					t.Fatalf("%+v selects %+v, which is not found", q, e)
				}
			}
		}
	})
}

// FuzzChunkBody is of chunks as they may stand in a file.
func FuzzChunkBody(f *testing.F) {
	for _, seed := range []string{``, `null`, `[]`, `[null]`, `[{}]`, `[{"seq":-1}]`, `[{"actor":null,"other":{}}]`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := dbfile.Chunk{Body: body}.Entries()
		if err != nil && entries != nil {
			t.Fatalf("%d entries and %v", len(entries), err)
		}
		if err != nil || len(entries) == 0 {
			return
		}
		args, err := dbfile.LogArgs(entries)
		if err != nil {
			t.Fatal(err)
		}
		again, err := dbfile.Chunk{Body: []byte(args[len(args)-1].(string))}.Entries()
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Fatalf("%+v is written and read as %+v, %v", entries, again, err)
		}
	})
}
