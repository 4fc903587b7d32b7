package editlock

import (
	"context"

	"github.com/editlock/editlock/store"
)

// Broadcaster passes texts between the processes that share a store. What is sent may be
// lost, is kept nowhere, and arrives at its sender too.
type Broadcaster interface {
	// Broadcast sends a text of some kilobytes at most.
	Broadcast(ctx context.Context, text string) error
	// Receive calls f for each text, one at a time, until stop is called. f must
	// return promptly.
	Receive(f func(text string)) (stop func())
}

// BroadcasterOf returns the Broadcaster of a Manager's store. It is nil if the database
// has none, and for any other Locker.
func BroadcasterOf(l Locker) Broadcaster {
	if m, ok := l.(*Manager); ok {
		if c, ok := m.store.(store.Broadcaster); ok && c.CanBroadcast() {
			return c
		}
	}
	return nil
}
