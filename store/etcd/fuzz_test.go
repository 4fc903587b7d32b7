package etcd

import (
	"testing"
	"time"

	"editlock/store"
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
