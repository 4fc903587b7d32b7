package editlock

import (
	"context"

	"github.com/editlock/editlock/store"
)

// Link passes texts between the processes that share a store. What is sent may be
// lost, is kept nowhere, and arrives at its sender too.
type Link interface {
	// Broadcast sends a text of some kilobytes at most.
	Broadcast(ctx context.Context, text string) error
	// Receive calls f for each text, one at a time, until stop is called. f must
	// return promptly.
	Receive(f func(text string)) (stop func())
}

// LinkOf returns the Link of a Manager's store; nil if its database has none, and
// for any other Locker.
func LinkOf(l Locker) Link {
	if m, ok := l.(*Manager); ok {
		if c, ok := m.store.(store.Broadcaster); ok && c.CanBroadcast() {
			return c
		}
	}
	return nil
}
