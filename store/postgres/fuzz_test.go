package postgres

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/editlock/editlock/store"
)

// FuzzDecodeWaiters is of what stands in the database.
func FuzzDecodeWaiters(f *testing.F) {
	for _, seed := range []string{``, `null`, `[]`, `[{}]`, `[null]`, `[{"id":"t","seq":1,"claim":5,"note":{"kind":"K"}}]`, `{"id":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tickets, err := decodeWaiters(data, &store.Record{Name: "x"})
		for _, one := range tickets {
			if err != nil || one.Name != "x" {
				t.Fatalf("a ticket of %q, %v", one.Name, err)
			}
		}
	})
}

// FuzzTexts is of texts as requests hold them: what PostgreSQL can't keep as
// it is is refused, by what it is; the rest arrives as it was.
func FuzzTexts(f *testing.F) {
	f.Add("a/b/1", "s", "data")
	f.Add("\x00", "\xff", "\u2028<&>\"\\")
	f.Fuzz(func(t *testing.T, name, who, data string) {
		note := &store.Note{Kind: data, Actor: store.Party{Session: who, Value: data}, Reason: who}
		data2 := data
		req := store.Request{ID: who, Swaps: []store.Swap{{
			Name: name, Do: store.Join, Data: &data2, Note: note, Expect: store.Expect{Session: &who},
			Ticket: &store.Ticket{ID: who, Peer: data, Holder: store.Party{User: who, Value: data}, Data: data, Value: name, Note: note},
		}}}
		written, err := encode(req)
		all := name + "|" + who + "|" + data
		if kept := utf8.ValidString(all) && !strings.Contains(all, "\x00"); kept != (err == nil) {
			t.Fatalf("%q: %v", all, err)
		}
		if err != nil {
			return
		}
		var read requestJSON
		if err := json.Unmarshal(written, &read); err != nil {
			t.Fatal(err)
		}
		sw := read.Swaps[0]
		if read.ID != who || sw.Name != name || *sw.Data != data || *sw.Expect.Session != who || *sw.Peer != data || sw.Ticket != who {
			t.Fatalf("%+v is written as %s", req, written)
		}
		whole, err := json.Marshal([]*ticketJSON{sw.Body})
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeWaiters(whole, &store.Record{Name: name})
		want := *req.Swaps[0].Ticket
		want.ID, want.Peer, want.Name, want.Since = "", "", name, fromMicros(0)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Fatalf("%+v is read as %+v, %v", want, got, err)
		}
	})
}

// FuzzRecordFields is of rows as they may stand in tables.
func FuzzRecordFields(f *testing.F) {
	f.Add(true, int64(1), int64(5), true, "s", []byte(`[{"id":"t","seq":1,"claim":5,"asked":1}]`))
	f.Add(false, int64(0), int64(0), false, "", []byte(`x`))
	f.Fuzz(func(t *testing.T, there bool, token, at int64, expires bool, text string, waiters []byte) {
		number := func(n int64, valid bool) pgtype.Int8 { return pgtype.Int8{Int64: n, Valid: valid} }
		some := pgtype.Text{String: text, Valid: there}
		r := recordFields{
			token: number(token, there), idle: number(at, there), maxHold: number(token, there), taken: number(at, there),
			touched: number(at, there), expires: number(at, expires), waiting: number(1, there),
			session: some, user: some, value: some, data: some, request: some, waiters: waiters,
		}
		rec, err := r.record("x")
		if !there {
			if rec != nil || err != nil {
				t.Fatalf("no record is read as %+v, %v", rec, err)
			}
			return
		}
		if err != nil {
			return
		}
		if rec.Name != "x" || rec.Token != uint64(token) || rec.Expires.IsZero() == expires && at != zeroMicros || rec.Holder.Session != text {
			t.Fatalf("%+v is read as %+v", r, rec)
		}
		for _, w := range rec.Waiters {
			if w.Name != "x" || !w.Claim.IsZero() && w.Asked != rec.Token {
				t.Fatalf("a ticket that asked %d may claim from %d", w.Asked, rec.Token)
			}
		}
	})
}

// zeroMicros is Go's zero time, which no record has.
const zeroMicros = -62135596800000000

// FuzzPrefix is of the bounds that select texts by how they begin.
func FuzzPrefix(f *testing.F) {
	for _, seed := range []string{"a", "я", "\U0010ffff", "\ud7ff", "a\U0010ffff", "\xd1", "a/\xff", ""} {
		f.Add(seed, "a")
		f.Add(seed, seed+"a")
	}
	f.Fuzz(func(t *testing.T, prefix, text string) {
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			return // no text in the database is like that
		}
		var w where
		w.prefix("x", prefix)
		selected := true
		args := w.args
		for condition := range strings.SplitSeq(strings.TrimPrefix(w.String(), " AND "), " AND ") {
			switch {
			case condition == "":
				continue
			case condition == "false":
				selected = false
				continue
			case strings.HasPrefix(condition, "substring"):
				selected = selected && bytes.HasPrefix([]byte(text), args[0].([]byte))
			case strings.HasPrefix(condition, "x >="):
				selected = selected && text >= args[0].(string)
			case strings.HasPrefix(condition, "x < "):
				selected = selected && text < args[0].(string)
			default:
				t.Fatalf("what is %q?", condition)
			}
			args = args[1:]
		}
		if selected != strings.HasPrefix(text, prefix) {
			t.Fatalf("%q for those that begin with %q: %v; %s %q", text, prefix, selected, w.String(), w.args)
		}
	})
}
