package etcd

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/editlock/editlock/store"
)

// FuzzDecode is of what stands in the database.
func FuzzDecode(f *testing.F) {
	who := store.Party{Session: "s", User: "u", Value: "v"}
	f.Add([]byte(encodeRecord(&store.Record{Name: "x", Token: 1, Holder: who, Taken: time.UnixMicro(1)}, 5)))
	f.Add([]byte(encodeTicket(&store.Ticket{ID: "t", Seq: 1, Holder: who, Note: &store.Note{Kind: "K", Actor: who}})))
	f.Add([]byte(encodeLog([]store.Entry{{Seq: 1, Kind: "K", Name: "x"}})))
	f.Add([]byte(encodeLog(make([]store.Entry, 100))))
	f.Add([]byte{0, 1, 2})
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, _, err := decodeRecord("x", data); err == nil && r.Name != "x" {
			t.Fatalf("a record of %q", r.Name)
		}
		if k, err := decodeTicket("x", data); err == nil && k.Name != "x" {
			t.Fatalf("a ticket of %q", k.Name)
		}
		entries, err := decodeLog(data)
		if err != nil {
			return
		}
		again, err := decodeLog([]byte(encodeLog(entries)))
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%d entries, written and read again: %d, %v", len(entries), len(again), err)
		}
	})
}

// FuzzURL is of addresses.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"etcd://a:1,b:2/x?timeout=1s", "etcd://u:p@h", "etcds://h/?ca=x", "etcd:", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _, _ = parse(text) })
}

// FuzzValues writes records, tickets and entries and reads them again.
func FuzzValues(f *testing.F) {
	f.Add("a/b/1", "s", "data", uint64(7), int64(time.Minute), int64(1), true)
	f.Add("", "", strings.Repeat("x", 3000), uint64(0), int64(-1), int64(1)<<50, false)
	f.Fuzz(func(t *testing.T, name, who, data string, number uint64, span, at int64, noted bool) {
		if !utf8.ValidString(name+who+data) || !utf8.ValidString(who) || !utf8.ValidString(data) || at < -1<<52 || at > 1<<52 {
			return // stores are given texts only, and know no such years
		}
		party := store.Party{Session: who, User: data, Value: name}
		rec := store.Record{
			Name: name, Token: number, Holder: party, Data: data, Terms: store.Terms{Idle: time.Duration(span), MaxHold: time.Duration(at)},
			Taken: fromMicros(at), Touched: fromMicros(at), Request: who,
		}
		ticket := store.Ticket{
			ID: who, Name: name, Seq: number, Peer: data, Holder: party, Data: data, Terms: rec.Terms, Value: name,
			Since: fromMicros(at), Confirm: time.Duration(span), Asked: number, ClaimAfter: time.Duration(at),
		}
		if noted {
			rec.Expires, ticket.Claim, ticket.Note = fromMicros(at), fromMicros(at), &store.Note{Kind: data, Actor: party, Reason: who}
		}
		if got, due, err := decodeRecord(name, []byte(encodeRecord(&rec, at))); err != nil || due != at || !reflect.DeepEqual(*got, rec) {
			t.Fatalf("%+v is read as %+v, %v", rec, got, err)
		}
		if got, err := decodeTicket(name, []byte(encodeTicket(&ticket))); err != nil || !reflect.DeepEqual(got, ticket) {
			t.Fatalf("%+v is read as %+v, %v", ticket, got, err)
		}
		entries := []store.Entry{{Seq: number, Kind: data, Name: name, Token: number, At: fromMicros(at), Owner: party, Actor: party, Reason: who, Request: who}, {}}
		if got, err := decodeLog([]byte(encodeLog(entries))); err != nil || !reflect.DeepEqual(got, entries) {
			t.Fatalf("%+v is read as %+v, %v", entries, got, err)
		}
	})
}

// FuzzKeyValues is of the values of a store's keys: one that is no work of
// this version's is told, by its key.
func FuzzKeyValues(f *testing.F) {
	f.Add([]byte(`{"version":1,"seq":5,"process":"p","news":[["a","b"]]}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`5`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"id":"t"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		k := keys("p/")
		rev, h, err := decodeHead([]*mvccpb.KeyValue{{Key: []byte(k.head()), Value: value, ModRevision: 3}})
		if (err == nil) != (rev == 3) || err == nil && h.Version != version {
			t.Fatalf("%q is the head %+v at %d, %v", value, h, rev, err)
		}
		if _, err := decodePeers(k, []*mvccpb.KeyValue{{Key: []byte(k.peers() + "a"), Value: value}}); err != nil && !strings.Contains(err.Error(), "a") {
			t.Fatalf("%v does not name the key", err)
		}
		for _, key := range []string{"r", "t1"} {
			st, err := decodeName(k, "n", []*mvccpb.KeyValue{{Key: []byte(k.name("n") + key), Value: value}})
			if err != nil && !strings.Contains(err.Error(), "n") {
				t.Fatalf("%v does not name the name", err)
			}
			if err == nil && (st.Record == nil) == (key == "r") {
				t.Fatalf("%q under %s is %+v", value, key, st)
			}
		}
	})
}

// FuzzKeyParts is of texts as parts of keys: they can be read again, and what
// stands behind one text is never taken for another's.
func FuzzKeyParts(f *testing.F) {
	for _, seed := range []string{"", "a", "\x00", "\x00\x01", "\x00\xff", "\xff\x00", "a\x00\x00\x01"} {
		f.Add(seed, "a")
		f.Add(seed, seed+"\x00\x01")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		if s, rest := unpart(part(one) + other); s != one || rest != other {
			t.Fatalf("%q and %q are read as %q and %q", one, other, s, rest)
		}
		if one != other && strings.HasPrefix(part(other), part(one)) {
			t.Fatalf("what stands under %q is read under %q too", other, one)
		}
	})
}
