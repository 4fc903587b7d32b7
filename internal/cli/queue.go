package cli

import (
	"context"
	"slices"
	"sync"

	"github.com/editlock/editlock"
)

// tellQueue tells, while a capture waits, who holds the mutex and how many
// are ahead, and again when that changes. The function returned ends it.
func (a *app) tellQueue(ctx context.Context, locks editlock.Locker, id editlock.ID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var told string
	tell := func() {
		if text := a.queueText(ctx, locks, id); text != "" && text != told {
			told = text
			a.note(text)
		}
	}
	tell()
	var done sync.WaitGroup
	done.Go(func() {
		// What this misses is but a line: the capture itself tells the end.
		for _, err := range locks.Watch(ctx, editlock.WatchQuery{ID: &id}) {
			if err != nil {
				return
			}
			tell()
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// queueText is empty if there is nothing to wait for.
func (a *app) queueText(ctx context.Context, locks editlock.Locker, id editlock.ID) string {
	state, m, err := locks.Request(ctx, id)
	if err != nil || state != editlock.CapturedByOther {
		return ""
	}
	me := editlock.OwnerFrom(ctx)
	ahead := slices.IndexFunc(m.Waiters, func(w editlock.Waiter) bool { return w.Owner.SameHolder(me) })
	if ahead < 0 {
		ahead = m.Waiting // not in the queue yet, or too far back to be shown
	}
	place := a.words.Text("wait.first")
	if ahead > 0 {
		place = a.words.Count("wait.ahead", ahead)
	}
	return a.words.Text("wait.for", a.words.Editing(m), place)
}

// settle refreshes a mutex that was waited for. The mutex as granted tells of
// the few seconds that its waiter had to take it up; from now on it is held on
// the terms asked for, also when this process ends at once.
func settle(ctx context.Context, locks editlock.Locker, m editlock.Mutex) (editlock.Mutex, error) {
	results, err := locks.Refresh(ctx, []editlock.RefreshItem{{ID: m.ID, Token: m.Token}})
	if err != nil {
		return m, err
	}
	return results[0].Mutex, results[0].Err
}
