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

// part is what a reader may see of a scan, and what there is to filter it by.
type part struct {
	*scan
	shown                 bits // of the scan's locks; nil: all
	count                 int  // locks that are shown
	groups, modes, people []choice
}

// bits are a set of small numbers.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// add reports whether i is new.
func (b bits) add(i int) bool {
	isNew := !b.has(i)
	b[i/64] |= 1 << (i % 64)
	return isNew
}

func (p *part) shows(l *lock) bool { return p.shown == nil || p.shown.has(l.at) }

// partOf returns the part with the locks that are shown, and counts the values
// that there are to filter by.
func (s *scan) partOf(shown bits, n int) *part {
	p := &part{scan: s, shown: shown, count: n}
	groups, modes, people := map[string]choice{}, map[string]choice{}, map[string]choice{}
	count := func(in map[string]choice, value, label string, kind editlock.OwnerKind) {
		if value == "" {
			return
		}
		one, known := in[value]
		if !known || kind <= one.Kind { // a user who has agents is called as the person is
			one.Value, one.Label, one.Kind = value, label, kind
		}
		one.Count++
		in[value] = one
	}
	for _, l := range s.locks {
		if p.shows(l) {
			count(groups, l.ID.Group, l.ID.Group, 0)
			count(modes, l.ID.Mode, l.ID.Mode, 0)
			count(people, l.who, l.Owner.Label(), l.Owner.Kind)
		}
	}
	p.groups, p.modes, p.people = choices(groups), choices(modes), choices(people)
	return p
}

// seenBy is what a reader may see of a scan.
func (s *scan) seenBy(me Identity) *part {
	shown, n := newBits(len(s.locks)), 0
	for i, l := range s.locks {
		if me.sees(&l.Mutex) {
			shown.add(i)
			n++
		}
	}
	if n == len(s.locks) {
		return s.whole
	}
	return s.partOf(shown, n)
}

// views are the parts of the latest scan that readers may see, by their rights: a
// scan of many locks is not gone through for each request.
type views struct {
	mu sync.Mutex
	of *scan
	by map[string]*part
}

func (v *views) get(of *scan, key string) *part {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of != of {
		return nil
	}
	return v.by[key]
}

func (v *views) put(of *scan, key string, p *part) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of != of || len(v.by) >= maxViews {
		v.of, v.by = of, map[string]*part{}
	}
	v.by[key] = p
}

// reader tells readers apart whose requests take turns.
func (i Identity) reader() string {
	if i.Owner.UserID != "" {
		return i.Owner.UserID
	}
	return i.Owner.Session
}

// seen returns what a request's reader may see of the latest scan, and the store's
// time now.
func (h *handler) seen(r *http.Request) (*part, time.Time, error) {
	s, now, err := h.scans.get(r.Context())
	if err != nil {
		return nil, now, err
	}
	me := h.identify(r)
	if me.Visible == nil {
		return s.whole, now, nil
	}
	key := fmt.Sprintf("%q", me.Visible)
	if s.cut { // what its reader may see might be behind the cut
		return h.partFor(r.Context(), me, key)
	}
	if known := h.views.get(s, key); known != nil {
		return known, now, nil
	}
	var out *part
	err = h.turns.take(r.Context(), me.reader(), len(s.locks), func() {
		if out = h.views.get(s, key); out == nil { // no other of the same rights was quicker
			out = s.seenBy(me)
			h.views.put(s, key, out)
		}
	})
	return out, now, err
}

// partFor returns what a reader may see, read for such readers alone.
func (h *handler) partFor(ctx context.Context, me Identity, key string) (p *part, now time.Time, err error) {
	turn := h.turns.take(ctx, me.reader(), maxPart, func() {
		var s *scan
		if s, now, err = h.part(me.Visible, key).get(ctx); err == nil {
			p = s.whole
		}
	})
	if turn != nil {
		err = turn
	}
	return p, now, err
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

// look goes through what a request's reader sees.
func (h *handler) look(ctx context.Context, me Identity, p *part, through func()) error {
	return h.turns.take(ctx, me.reader(), len(p.locks), through)
}

// forget makes the next readers see what was just done.
func (h *handler) forget() {
	h.scans.forget()
	h.parts.Purge()
}
