package editlock

import (
	"context"
	"time"

	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

// confirmWithin is how long a grant lasts unless its waiter takes it up.
const confirmWithin = 15 * time.Second

// confirm turns a fresh grant into a hold of the terms asked for, behind the
// caller's back: it has it already, and hears of its end like anybody. Of a
// caller behind a server only its connection is known: a caller that comes back
// confirms by itself, and for others the answer must have been taken. Close
// waits for it.
func (m *Manager) confirm(ctx context.Context, rec *store.Record) {
	caller := patience.CallerOf(ctx)
	if caller != nil && caller.Within > 0 {
		return
	}
	done := make(chan struct{})
	m.waits.mu.Lock()
	m.waits.confirms[rec.Name] = done
	m.waits.mu.Unlock()
	m.waits.spawn(func() {
		if caller == nil || caller.Took(m.waits.ctx, confirmWithin) {
			ctx, cancel := context.WithTimeout(context.Background(), confirmWithin)
			defer cancel()
			_, _, _ = m.commit(ctx, "", store.Op{
				Name: rec.Name, Do: store.Renew, Expect: store.Expect{Token: rec.Token},
			})
		}
		close(done)
		m.waits.mu.Lock()
		defer m.waits.mu.Unlock()
		if m.waits.confirms[rec.Name] == done {
			delete(m.waits.confirms, rec.Name)
		}
	})
}

// confirmed waits for a confirmation under way: what it does late would undo
// what was done to the hold meanwhile.
func (m *Manager) confirmed(ctx context.Context, name string) {
	m.waits.mu.Lock()
	done := m.waits.confirms[name]
	m.waits.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}
