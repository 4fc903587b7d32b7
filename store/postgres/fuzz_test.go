package postgres

import (
	"testing"

	"editlock/store"
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
