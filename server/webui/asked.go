package webui

import (
	"fmt"
	"net/http"

	"github.com/editlock/editlock"
)

// maxAsks is how many of the locks that others wait for are named.
const maxAsks = 3

// asks are the reader's own locks that others wait for.
type asks struct {
	Count int
	First []ask
}

// ask is one of them, with the first who waits.
type ask struct {
	Lock   *lock
	By     editlock.Waiter
	Key    string // of this wait; another hold or waiter is another one
	Others int    // who wait behind
}

// asked returns what others want of a request's reader. A page shows the rest of it
// where that can't be told.
func (h *handler) asked(r *http.Request, me Identity) (out asks) {
	if !me.known() {
		return out
	}
	p, now, err := h.seen(r)
	if err != nil {
		return out
	}
	_ = h.turns.take(r.Context(), me.reader(), len(p.waited), func() {
		for _, l := range p.waited {
			if !p.shows(l) || len(l.Waiters) == 0 || !me.owns(l.Owner) || !l.ExpiresAt.IsZero() && !l.ExpiresAt.After(now) {
				continue
			}
			if out.Count++; len(out.First) < maxAsks {
				w := l.Waiters[0]
				out.First = append(out.First, ask{l, w, fmt.Sprintf("%d.%s", l.Token, w.ID), l.Waiting - 1})
			}
		}
	})
	return out
}

// More is how many are not named.
func (a asks) More() int { return a.Count - len(a.First) }
