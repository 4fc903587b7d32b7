package postgres

import (
	"encoding/base64"
	"reflect"
	"testing"

	"github.com/editlock/editlock/store/kv"
)

// FuzzHeard is of notifications, which any role of the database can send.
func FuzzHeard(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add(base64.StdEncoding.EncodeToString([]byte{0, 0, 0, 8, 0, 0, 0, 17, 0xff, 0xff, 0xff, 0xff}))
	f.Fuzz(func(t *testing.T, payload string) {
		e := &engine{process: []byte("own")}
		e.listeners.Add(func(n kv.News) {
			if payload == "" != (len(n.Messages) == 0) {
				t.Fatalf("%q is heard as %+v", payload, n)
			}
		})
		e.heard(payload)
	})
}

// FuzzFound is of rows as they come from the server.
func FuzzFound(f *testing.F) {
	f.Add([]byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, ranges uint8) {
		found := make([]kv.Found, ranges)
		a := answer{b: data}
		readFound(&a, found)
		for _, f := range found {
			if a.err == nil && f.Count < len(f.Rows) {
				t.Fatalf("%d rows are counted as %d", len(f.Rows), f.Count)
			}
		}
	})
}

// FuzzNotes is of notes as they stand in the log.
func FuzzNotes(f *testing.F) {
	f.Add("", "", []byte{1})
	f.Add("peer", "ticket", []byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, to, text string, more []byte) {
		note := kv.Message{To: to, Text: text}
		got := decodeNotes(append(encodeNotes([]kv.Message{note, note}), more...))
		want := kv.Sent{To: to, Text: text}
		if len(got) < 2 || !reflect.DeepEqual(got[:2], []kv.Sent{want, want}) {
			t.Fatalf("%+v is read as %+v", note, got)
		}
	})
}
