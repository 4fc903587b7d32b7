package core

import (
	"context"
	"errors"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

var _ store.Caster = (*Store)(nil)

var errNoCast = errors.New("store: its database carries no texts between processes")

// CanCast implements store.Caster.
func (s *Store) CanCast() bool {
	c, ok := s.engine.(kv.Caster)
	return ok && c.CanCast()
}

// Cast implements store.Caster.
func (s *Store) Cast(ctx context.Context, text string) error {
	if !s.CanCast() {
		return errNoCast
	}
	return fail(s.engine.(kv.Caster).Cast(ctx, text))
}

// Hear implements store.Caster.
func (s *Store) Hear(f func(text string)) (stop func()) {
	return s.engine.Listen(func(n kv.News) {
		for _, text := range n.Casts {
			f(text)
		}
	})
}
