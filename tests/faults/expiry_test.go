package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// span is a time in which a client may be sure to hold a mutex.
type span struct {
	id       editlock.ID
	session  string
	token    editlock.Token
	from, to int64
}

// extend moves the end behind a call that was acknowledged, less the part of
// the lease that clocks of different speeds may cost.
func (s *span) extend(c *call) {
	if lease, ends := c.holder.ExpiresIn(); ends {
		s.to = max(s.to, c.sent+int64(lease-lease/50))
	}
}

// overlaps reports who was sure to hold what another was sure to hold.
func overlaps(spans []span) error {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	last := map[editlock.ID]span{}
	var problems []error
	for _, s := range spans {
		was, ok := last[s.id]
		if ok && was.to > s.from {
			problems = append(problems, fmt.Errorf("%s: %s with token %d holds it until %.4f s, and %s with token %d from %.4f s",
				s.id, was.session, was.token, float64(was.to)/1e9, s.session, s.token, float64(s.from)/1e9))
		}
		if !ok || s.to > was.to {
			last[s.id] = s
		}
		if ok && s.token <= was.token {
			problems = append(problems, fmt.Errorf("%s: token %d follows token %d", s.id, s.token, was.token))
		}
	}
	return some(problems)
}

// holder is a worker who holds for a while, or forgets what they hold.
type holder struct {
	*worker
	spans []span
	errs  []error
}

func (h *holder) act(ctx context.Context) {
	l, name := h.lockers[rand.IntN(len(h.lockers))], h.name()
	h.session = name // a new one each time: what was forgotten is another's
	in := &call{name: name, id: h.ids[rand.IntN(len(h.ids))], data: name, idle: time.Second + rand.N(time.Second)}
	if rand.IntN(2) == 0 {
		in.wait = rand.N(2 * time.Second)
	}
	got := h.capture(ctx, l, in)
	if got.outcome == done && in.wait > 0 { // nobody knows how long ago it was granted
		got = h.refresh(ctx, l, &call{id: in.id, token: got.holder.Token})
	}
	if got.outcome != done {
		return
	}
	s := span{id: in.id, session: h.session, token: got.holder.Token, from: got.back}
	s.extend(got)
	defer func() { h.spans = append(h.spans, s) }()
	for range rand.IntN(5) {
		time.Sleep(rand.N(600 * time.Millisecond))
		again := h.refresh(ctx, h.lockers[rand.IntN(len(h.lockers))], &call{id: in.id, token: s.token})
		switch again.outcome {
		case done:
			s.extend(again)
		case lost:
			if again.back < s.to {
				h.errs = append(h.errs, fmt.Errorf("lost before %.4f s, when it ends: %v", float64(s.to)/1e9, again))
			}
			return
		}
	}
	if rand.IntN(3) > 0 {
		s.to = min(s.to, h.now())
		h.release(ctx, l, &call{id: in.id, token: s.token})
	}
}

// TestExpiry lets clients hold for a second or two at a time, while all kinds
// of things go wrong, and proves that no two of them held at a time.
func TestExpiry(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e.start(t))
			lockers, networks := w.clients(t)
			faults := w.faults(networks)
			rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
			rounds := len(faults) * 10
			if !long {
				rounds = 4
			}
			h := newHistory("expiry", 12, 0, 0, lockers...)
			ctx, cancel := context.WithCancel(t.Context())
			holders := make([]*holder, clients)
			var wg sync.WaitGroup
			for i := range holders {
				holders[i] = &holder{worker: h.worker(i)}
				wg.Go(func() {
					for ctx.Err() == nil {
						holders[i].act(t.Context())
					}
				})
			}
			for i := range rounds {
				f := faults[i%len(faults)]
				time.Sleep(300 * time.Millisecond)
				f.begin()
				time.Sleep(700 * time.Millisecond)
				f.end()
				if long && i%10 == 0 {
					t.Logf("%v: %d of %d faults, %d calls so far", time.Now().Format(time.TimeOnly), i, rounds, -h.left.Load())
				}
			}
			cancel()
			wg.Wait()
			r, err := read(t.Context(), w.direct, h.group)
			if err != nil {
				t.Fatal(err)
			}
			var spans []span
			var errs []error
			for _, h := range holders {
				spans, errs = append(spans, h.spans...), append(errs, h.errs...)
			}
			errs = append(errs, overlaps(spans), clean(h.calls), replay(r), accounted(h.calls, r), taken(h.calls, r))
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d calls, %d holds", len(h.calls), len(spans))
			if len(spans) < 10 {
				t.Errorf("only %d holds: this proves little", len(spans))
			}
		})
	}
}

func TestOverlapsAreFound(t *testing.T) {
	id := editlock.ID{ID: "a"}
	for _, test := range []struct {
		name   string
		second span
		bad    bool
	}{
		{"one after the other", span{id: id, token: 2, from: 10, to: 20}, false},
		{"at the same time", span{id: id, token: 2, from: 9, to: 20}, true},
		{"of different mutexes", span{id: editlock.ID{ID: "b"}, token: 2, from: 9, to: 20}, false},
		{"with a token that does not rise", span{id: id, token: 1, from: 10, to: 20}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := overlaps([]span{test.second, {id: id, token: 1, from: 1, to: 10}})
			if (err != nil) != test.bad {
				t.Errorf("found: %v", err)
			}
		})
	}
}
