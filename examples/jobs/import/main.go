// Command import is a nightly import that never runs beside the nightly
// report: both hold the lock "nightly" while they work.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
)

func main() {
	if err := run(context.Background(), os.Getenv("EDITLOCK_STORE"), os.Getenv("LEDGER")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, store, ledger string) (err error) {
	locks, err := connect.Open(ctx, store, nil)
	if err != nil {
		return err
	}
	defer locks.Close()
	owner := editlock.ConsoleOwner() // its session is this process's own
	owner.Name = "nightly import"
	ctx = editlock.WithOwner(ctx, owner)

	held, err := editlock.Hold(ctx, locks, editlock.ID{ID: "nightly"}, &editlock.CaptureOptions{Wait: time.Minute})
	if err != nil {
		return err // a *BusyError says who held it all that minute
	}
	defer func() {
		if left := held.Release(ctx); err == nil {
			err = left // *LostError: somebody ended the hold before that
		}
	}()
	return work(held.Context(), ledger, held.Mutex().Token)
}

// work ends with its context, and so with the loss of the lock. What it writes
// carries the token: a resource that others write to, too, compares it with the
// largest that it has seen.
func work(ctx context.Context, ledger string, token editlock.Token) error {
	file, err := os.OpenFile(ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, "import begins, token %d\n", token); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Second): // the import itself
	}
	_, err = fmt.Fprintf(file, "import ends, token %d\n", token)
	return err
}
