package core

import (
	"context"
	"errors"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

var _ store.Broadcaster = (*Store)(nil)

var errNoCast = errors.New("store: broadcasts are not supported by this database")

// CanBroadcast implements store.Broadcaster.
func (s *Store) CanBroadcast() bool {
	c, ok := s.engine.(kv.Broadcaster)
	return ok && c.CanBroadcast()
}

// Broadcast implements store.Broadcaster.
func (s *Store) Broadcast(ctx context.Context, text string) error {
	if !s.CanBroadcast() {
		return errNoCast
	}
	return fail(s.engine.(kv.Broadcaster).Broadcast(ctx, text))
}

// Receive implements store.Broadcaster.
func (s *Store) Receive(f func(text string)) (stop func()) {
	return s.engine.Listen(func(n kv.News) {
		for _, text := range n.Casts {
			f(text)
		}
	})
}
