package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"editlock"
	"editlock/store"
)

// readyWithin is how long a part may take to show that it works.
const readyWithin = 2 * time.Second

// Part is something that a server can't do without.
type Part struct {
	Name  string // such as "store"
	Check func(ctx context.Context) error
}

// NotReadyError says which parts don't work, and why.
type NotReadyError struct {
	Parts []string         // names, in the order given
	Why   map[string]error // may name hosts and files: for logs, not for callers
}

func (e *NotReadyError) Error() string { return "not ready: " + strings.Join(e.Parts, ", ") }

// Ready checks all parts at the same time, for two seconds at most, and tells
// by a *NotReadyError which are not ready.
func Ready(ctx context.Context, parts ...Part) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("no answer within %v", readyWithin))
	defer cancel()
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for i, p := range parts {
		all.Go(func() {
			if errs[i] = p.Check(ctx); errs[i] != nil && ctx.Err() != nil {
				errs[i] = context.Cause(ctx)
			}
		})
	}
	all.Wait()
	e := &NotReadyError{Why: make(map[string]error)}
	for i, p := range parts {
		if errs[i] != nil {
			e.Parts, e.Why[p.Name] = append(e.Parts, p.Name), errs[i]
		}
	}
	if len(e.Parts) == 0 {
		return nil
	}
	return e
}

// StoreReady checks that a store can be read.
func StoreReady(st store.Store) Part {
	return Part{Name: "store", Check: func(ctx context.Context) error {
		_, err := st.Get(ctx, "readiness")
		return err
	}}
}

// LockerReady checks that a Locker reaches its store.
func LockerReady(l editlock.Locker) Part {
	return Part{Name: "store", Check: func(ctx context.Context) error {
		_, _, err := l.Request(ctx, editlock.ID{ID: "readiness"})
		return err
	}}
}

// Until checks that ctx, of a server that runs, has not ended: a server that
// drains is not ready for more.
func Until(ctx context.Context) Part {
	return Part{Name: "server", Check: func(context.Context) error {
		if ctx.Err() != nil {
			return errors.New("it is stopping")
		}
		return nil
	}}
}
