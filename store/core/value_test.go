package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
)

// The values of stores that exist are as this table has them.
func TestValuesKeepTheirForm(t *testing.T) {
	anna, ben := store.Party{Session: "s1", User: "anna", Value: "{}"}, store.Party{Session: "s2"}
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	hold := &store.Record{Holder: anna, Request: "r"}
	waiter := store.Waiter{
		Seq: 300, Holder: anna, Data: "d", Terms: store.Terms{Idle: time.Minute, MaxHold: -1}, Value: "v",
		ConfirmWithin: time.Second, GrantAfter: time.Hour, Asked: 7,
	}
	shared, limited := *hold, waiter
	shared.Share, limited.Share = store.Shared, 3
	noted := waiter
	noted.Event = &store.Event{Kind: "captured", Actor: ben, Reason: "why"}
	entry := store.LogEntry{
		Seq: 300, At: at, Kind: "captured", Name: "a/b/1", Token: 299,
		Owner: anna, Actor: ben, Reason: "why", Request: "r",
	}
	drawnNow := entry
	drawnNow.Seq, drawnNow.Token = drawn+2, drawn+1
	for _, tt := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"hold", encodeHold(hold), "\x01\x02s1\x04anna\x02{}\x01r"},
		{"shared hold", encodeHold(&shared), "\x01\x02s1\x04anna\x02{}\x01r\x01"},
		{"empty hold", encodeHold(&store.Record{}), "\x01\x00\x00\x00\x00"},
		{"waiter", encodeWaiter(&waiter), "\x01\x02s1\x04anna\x02{}\x01d\x80\xe0\xba\x84\xbf\x03\x01\x01v\x80\xa8\xd6\xb9\a\x80\x80\xc5\x8b\xc6\xd1\x01\x0e"},
		{"waiter with a note", encodeWaiter(&noted), "\x01\x02s1\x04anna\x02{}\x01d\x80\xe0\xba\x84\xbf\x03\x01\x01v\x80\xa8\xd6\xb9\a\x80\x80\xc5\x8b\xc6\xd1\x01\x0e\bcaptured\x02s2\x00\x00\x03why"},
		{"entry", encodeEntry(&entry, false), "\x01\bcaptured\x05a/b/1\xd6\x04\x00\x02s1\x04anna\x02{}\x02s2\x00\x00\x00\x00\x00\x03why\x01r"},
		{"entry from before", encodeEntry(&entry, true), "\x01\bcaptured\x05a/b/1\xd6\x04\x80\x80\xf9\xc0\xc1\xc4\x82\x03\x02s1\x04anna\x02{}\x02s2\x00\x00\x00\x00\x00\x03why\x01r"},
		{"entry on a token drawn with it", encodeEntry(&drawnNow, false), "\x01\bcaptured\x05a/b/1\x03\x00\x02s1\x04anna\x02{}\x02s2\x00\x00\x00\x00\x00\x03why\x01r"},
	} {
		if got := string(tt.value); got != tt.want {
			t.Errorf("%s is written as\n%+q, want\n%+q", tt.name, got, tt.want)
		}
	}
	moved := shared
	moved.Token, moved.Place, moved.Acquired, moved.Placed = 7, 9, at, at.Add(time.Hour)
	for _, want := range []*store.Record{hold, &shared, &moved} {
		got := &store.Record{Token: want.Token}
		if want.Place != 0 {
			got.Token, got.Acquired = want.Place, want.Placed // the row's own
		}
		err := decodeHold(got, encodeHold(want))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	for _, want := range []store.Waiter{waiter, noted, limited} {
		got, err := decodeWaiter(encodeWaiter(&want), want.Seq)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	for _, before := range []bool{false, true} {
		got, err := decodeEntry(encodeEntry(&entry, before), entry.Seq, at)
		if diff := cmp.Diff(entry, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}

func TestTruncatedAndForeignValuesAreRefused(t *testing.T) {
	hold, entry := encodeHold(&store.Record{Holder: store.Party{Value: "v"}, Request: "r"}), encodeEntry(&store.LogEntry{Kind: "k"}, false)
	waiter := encodeWaiter(&store.Waiter{Event: &store.Event{Reason: "why"}})
	decoders := map[string]struct {
		whole  []byte
		decode func([]byte) error
	}{
		"hold":   {hold, func(b []byte) error { err := decodeHold(&store.Record{}, b); return err }},
		"waiter": {waiter, func(b []byte) error { _, err := decodeWaiter(b, 1); return err }},
		"entry":  {entry, func(b []byte) error { _, err := decodeEntry(b, 1, time.Time{}); return err }},
	}
	for name, d := range decoders {
		if err := d.decode(d.whole); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, value := range map[string][]byte{
			"empty":              {},
			"of another version": append([]byte{2}, d.whole[1:]...),
			"continued":          append(d.whole[:len(d.whole):len(d.whole)], 0),
			"truncated":          d.whole[:len(d.whole)-1],
		} {
			if d.decode(value) == nil {
				t.Errorf("a %s that is %s is read", name, what)
			}
		}
	}
}
