package guard

import (
	"context"
	"net/http"
	"strconv"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// Header is the header in which a client sends the token of the lock that it
// writes under.
const Header = "Editlock-Token"

// Middleware lets requests through that carry the token in force, of an exclusive
// hold of the mutex that id names for them, or of something above it. To others it answers with application/problem+json:
// 428 without the header, 409 and the present holder if the token is another
// than the one in force, 503 if l can't tell. An error of id is answered as
// what it is, such as editlock.ErrInvalid.
//
// Between the check and the write the lock may still be lost, as nothing holds
// it in that window: for records in the store's own database use Postgres or
// SQLite, which leave none. For others, let the resource compare: hand it Token
// with each write, and let it refuse a smaller one than the largest it has
// seen. Tokens of a mutex only grow, so a late writer's is always smaller.
func Middleware(l editlock.Locker, id func(*http.Request) (editlock.ID, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := check(l, id, r)
			if err != nil {
				Refuse(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, token)))
		})
	}
}

type tokenKey struct{}

// Token is the token that Middleware has checked; false outside of it.
func Token(ctx context.Context) (token editlock.Token, ok bool) {
	token, ok = ctx.Value(tokenKey{}).(editlock.Token)
	return token, ok
}

func check(l editlock.Locker, id func(*http.Request) (editlock.ID, error), r *http.Request) (editlock.Token, error) {
	given := r.Header.Get(Header)
	if given == "" {
		return 0, missing()
	}
	n, err := strconv.ParseUint(given, 10, 64)
	if err != nil || n == 0 {
		return 0, invalid(Header, "not_a_lock_token", "must be the token of a lock, a whole number above 0")
	}
	mutex, err := id(r)
	if err != nil {
		return 0, err
	}
	return editlock.Token(n), inForce(r.Context(), l, mutex, editlock.Token(n))
}

func missing() error {
	p := wire.NewProblem(wire.Invalid, "the header "+Header+" is missing: send the token of the lock that you write under")
	p.Status, p.Field = http.StatusPreconditionRequired, Header
	return p
}

// inForce returns the LostError of a token that is not the one of an exclusive hold.
func inForce(ctx context.Context, l editlock.Locker, mutex editlock.ID, token editlock.Token) error {
	lost := &editlock.LostError{ID: mutex}
	// A hold of something above is one of the mutex, one of a part of it is not.
	for _, id := range append([]editlock.ID{mutex}, mutex.Above()...) {
		_, held, err := l.Request(editlock.WithoutOwner(ctx), id)
		if err != nil {
			return err
		}
		if held.ID != id {
			continue
		}
		if held.Token == token && held.Sharing == editlock.Exclusive {
			return nil
		}
		if lost.Holder == nil {
			lost.Holder = &held
		}
	}
	return lost
}
