package webui

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

// maxViews bounds for how many sets of readers one scan is kept as they see it.
const maxViews = 100

// views are the parts of the latest scan that readers may see, by their rights: a
// scan of many locks is not gone through for each request.
type views struct {
	mu sync.Mutex
	of *scan
	by map[string]*scan
}

func (v *views) get(of *scan, key string) *scan {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of != of {
		return nil
	}
	return v.by[key]
}

func (v *views) put(of *scan, key string, part *scan) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of != of || len(v.by) >= maxViews {
		v.of, v.by = of, map[string]*scan{}
	}
	v.by[key] = part
}

// seenBy is what a reader may see of a scan.
func (s *scan) seenBy(me Identity) *scan {
	out := &scan{}
	for _, l := range s.locks {
		if me.sees(&l.Mutex) {
			out.locks = append(out.locks, l)
		}
	}
	if len(out.locks) == len(s.locks) {
		return s
	}
	out.choose()
	return out
}

// reader tells readers apart whose requests take turns.
func (i Identity) reader() string {
	if i.Owner.UserID != "" {
		return i.Owner.UserID
	}
	return i.Owner.Session
}

// seen returns a scan as a request's reader may see it, and the store's time
// now.
func (h *handler) seen(r *http.Request) (*scan, time.Time, error) {
	s, now, err := h.scans.get(r.Context())
	me := h.identify(r)
	if err != nil || me.Visible == nil {
		return s, now, err
	}
	key := fmt.Sprintf("%q", me.Visible)
	if s.cut { // what its reader may see might be behind the cut
		return h.partFor(r.Context(), me, key)
	}
	if known := h.views.get(s, key); known != nil {
		return known, now, nil
	}
	var out *scan
	err = h.turns.take(r.Context(), me.reader(), len(s.locks), func() {
		if out = h.views.get(s, key); out == nil { // no other of the same rights was quicker
			out = s.seenBy(me)
			h.views.put(s, key, out)
		}
	})
	return out, now, err
}

// partFor returns a scan of what a reader may see, read for such readers alone.
func (h *handler) partFor(ctx context.Context, me Identity, key string) (s *scan, now time.Time, err error) {
	turn := h.turns.take(ctx, me.reader(), maxPart, func() { s, now, err = h.part(me.Visible, key).get(ctx) })
	if turn != nil {
		err = turn
	}
	return s, now, err
}

// part is the scanner of what some readers may see.
func (h *handler) part(visible []editlock.Area, key string) *scanner {
	fresh := newScanner(h.scans.locker, visible, maxPart)
	if s, ok, _ := h.parts.PeekOrAdd(key, fresh); ok {
		h.parts.Get(key) // is used
		return s
	}
	return fresh
}

// selected is what a filter leaves of what a request's reader sees.
func (h *handler) selected(ctx context.Context, f filter, s *scan, me Identity, now time.Time) (out selection, err error) {
	err = h.turns.take(ctx, me.reader(), len(s.locks), func() { out = f.of(s, me, now) })
	return out, err
}

// forget makes the next readers see what was just done.
func (h *handler) forget() {
	h.scans.forget()
	h.parts.Purge()
}
