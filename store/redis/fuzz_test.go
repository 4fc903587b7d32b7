package redis

import (
	"testing"
)

// FuzzUnpack is of what stands in the database: whatever it is, reading ends,
// and what is cut short is told.
func FuzzUnpack(f *testing.F) {
	var p packer
	p.number(7)
	p.text("text")
	f.Add([]byte(p))
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add(make([]byte, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, read := range map[string]func(u *unpacker){
			"record": func(u *unpacker) { u.record("x") },
			"ticket": func(u *unpacker) { u.ticket("x", "1") },
			"entry":  func(u *unpacker) { u.entry(1) },
		} {
			u := &unpacker{rest: string(data)}
			if read(u); u.err == nil && len(data) < 8 {
				t.Fatalf("%d bytes are taken for a %s", len(data), name)
			}
		}
		if _, err := newsOf(string(data)); err == nil && len(data) == 0 {
			t.Fatal("nothing is taken for news")
		}
	})
}
