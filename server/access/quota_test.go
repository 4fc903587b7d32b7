package access_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/store/memory"
)

// lister counts how often it is asked for what is held.
type lister struct {
	editlock.Locker
	lists int
}

func (l *lister) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	l.lists++
	return l.Locker.List(ctx, q)
}

// A refusal of what is over the limit must not cost more than a capture.
func TestGuard_CountsNotForEachCaptureThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 4
		locks := &lister{Locker: editlock.NewManager(memory.New(nil), nil)}
		defer func() { _ = locks.Close() }()
		guard := access.New(access.Policy{}, access.Limits{MutexesPerSession: limit, MutexesPerUser: limit}, slog.New(slog.DiscardHandler))
		owner := editlock.Owner{Session: "s", UserID: "u"}
		mine := guard.For(locks, &auth.Caller{Name: "user:u", Owner: owner, Grants: []auth.Grant{{Rights: []auth.Right{auth.Use}, Mode: "*"}}})
		id := func(n int) editlock.ID { return editlock.ID{ID: fmt.Sprint(n)} }
		capture := func(n int) error {
			_, err := mine.Capture(t.Context(), id(n), nil)
			return err
		}
		for n := range limit {
			if err := capture(n); err != nil {
				t.Fatal(err)
			}
		}
		locks.lists = 0
		for range 100 {
			if err := capture(limit); !errors.Is(err, editlock.ErrLimited) {
				t.Fatalf("over the limit: %v", err)
			}
		}
		if locks.lists > 2 {
			t.Errorf("100 refusals counted %d times", locks.lists)
		}
		if err := capture(0); err != nil {
			t.Errorf("what is held already: %v", err)
		}
		for name, release := range map[string]func(n int) error{
			"a release": func(n int) error {
				_, err := mine.Release(t.Context(), id(n), editlock.Condition{})
				return err
			},
			"a release of several": func(n int) error {
				_, err := mine.ReleaseAll(t.Context(), []editlock.ID{id(n)})
				return err
			},
			"a release elsewhere, and a second": func(n int) error {
				_, err := locks.Locker.Release(editlock.WithOwner(t.Context(), owner), id(n), editlock.Condition{})
				time.Sleep(time.Second)
				return err
			},
		} {
			if err := errors.Join(release(0), capture(limit), release(limit), capture(0)); err != nil {
				t.Errorf("after %s: %v", name, err)
			}
		}
		if _, err := mine.ReleaseSession(t.Context(), "s"); err != nil || capture(limit) != nil {
			t.Errorf("after a release of all: %v", err)
		}
	})
}
