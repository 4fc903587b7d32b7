package guard

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/editlock/editlock"
)

// Held is a mutex and the token that a save claims to hold it under.
type Held struct {
	ID    editlock.ID
	Token editlock.Token
}

// maxHeld is how many parts of an object a save may name.
const maxHeld = 100

// ParseHeld reads what a form with several parts of an object sends, in the header
// Editlock-Token or in a field: part=token, with commas between and each part
// percent-encoded, such as address=7,lines=9. A token alone, such as 7, is that of
// the whole object. Save only the parts that are returned. The error is an
// *editlock.InvalidError; an empty text has no parts.
func ParseHeld(object editlock.ID, text string) ([]Held, error) {
	if text == "" {
		return nil, nil
	}
	var all []Held
	for one := range strings.SplitSeq(text, ",") {
		part, number, ofPart := strings.Cut(one, "=")
		if !ofPart {
			part, number = "", one
		}
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 63)
		if err != nil || n == 0 {
			return nil, invalid(Header, "not_a_lock_token", "must be the token of a lock, a whole number above 0")
		}
		held := Held{ID: object, Token: editlock.Token(n)}
		if held.ID.Part, err = url.PathUnescape(strings.TrimSpace(part)); err != nil || ofPart && held.ID.Part == "" {
			return nil, invalid(Header, "not_part_and_token", "must be part=token, with commas between and each part percent-encoded")
		}
		if err := held.ID.Validate(); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(h Held) bool { return h.ID == held.ID }) {
			return nil, invalid(Header, "part_twice", "names a part twice")
		}
		if all = append(all, held); len(all) > maxHeld {
			return nil, invalid(Header, "too_many_held", "names more than %d parts", maxHeld)
		}
	}
	return all, nil
}

// CheckAll is Check for a save of several parts: it fails unless all tokens are in
// force, and none of them is lost until the transaction ends. The error names the
// first that is not. Nothing held is an error, as nothing may be saved then.
func (p Postgres) CheckAll(ctx context.Context, tx Tx, held []Held) error {
	return checkAll(held, func(h Held) error { return p.Check(ctx, tx, h.ID, h.Token) })
}

// CheckAllPgx is Postgres.CheckAll within a transaction of pgx.
func CheckAllPgx[R Row](ctx context.Context, p Postgres, tx PgxTx[R], held []Held) error {
	return checkAll(held, func(h Held) error { return CheckPgx(ctx, p, tx, h.ID, h.Token) })
}

// CheckAll is Check for a save of several parts, as that of Postgres is.
func (s SQLite) CheckAll(ctx context.Context, tx Tx, held []Held) error {
	return checkAll(held, func(h Held) error { return s.Check(ctx, tx, h.ID, h.Token) })
}

// CheckAll is Check for a save of several parts, as that of Postgres is.
func (m MariaDB) CheckAll(ctx context.Context, tx Tx, held []Held) error {
	return checkAll(held, func(h Held) error { return m.Check(ctx, tx, h.ID, h.Token) })
}

// checkAll checks in the order of names, so that two saves never wait for each other.
func checkAll(held []Held, check func(Held) error) error {
	if len(held) == 0 {
		return invalid("token", "nothing_held", "is missing: nothing that is to be saved is held")
	}
	ordered := slices.SortedFunc(slices.Values(held), func(a, b Held) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	for _, h := range ordered {
		if err := check(h); err != nil {
			return err
		}
	}
	return nil
}

// PartsMiddleware is Middleware for saves of some parts of an object: the header
// names each part with its token, as ParseHeld reads it, and all of them must be in
// force. The handler saves those that AllHeld returns, and no others. A problem
// of a lost part names it in its mutex.
func PartsMiddleware(l editlock.Locker, object func(*http.Request) (editlock.ID, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			all, err := checkParts(l, object, r)
			if err != nil {
				Refuse(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), heldKey{}, all)))
		})
	}
}

type heldKey struct{}

// AllHeld are the parts and tokens that PartsMiddleware has checked; nil outside of it.
func AllHeld(ctx context.Context) []Held {
	all, _ := ctx.Value(heldKey{}).([]Held)
	return all
}

func checkParts(l editlock.Locker, object func(*http.Request) (editlock.ID, error), r *http.Request) ([]Held, error) {
	given := r.Header.Get(Header)
	if given == "" {
		return nil, missing()
	}
	id, err := object(r)
	if err != nil {
		return nil, err
	}
	all, err := ParseHeld(id, given)
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		if err := inForce(r.Context(), l, h.ID, h.Token); err != nil {
			return nil, err
		}
	}
	return all, nil
}
