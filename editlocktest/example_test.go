package editlocktest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/editlocktest"
)

// A test of a program that locks by a server.
func ExampleNewServer() {
	test := func(t testing.TB) { // func TestEditing(t *testing.T)
		locks, err := client.New(editlocktest.NewServer(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer locks.Close()

		form := editlock.EditLock{Locker: locks}
		ivanov := editlock.WithOwner(t.Context(), editlock.Owner{Session: "s-1", Name: "Ivanov"})
		petrova := editlock.WithOwner(t.Context(), editlock.Owner{Session: "s-2", Name: "Petrova"})
		if err := form.Block(ivanov, "42", "document", "request-1"); err != nil {
			t.Fatal(err)
		}
		var busy *editlock.BusyError
		if err := form.Block(petrova, "42", "document", "request-2"); errors.As(err, &busy) {
			fmt.Println("42 is being edited by", busy.Holder.Owner.Name)
		}
	}
	testing.Benchmark(func(b *testing.B) { // stands in for go test here
		if b.N == 1 {
			test(b)
		}
	})
	// Output: 42 is being edited by Ivanov
}
