package locktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// watcher collects what a Watch yields.
type watcher struct {
	events chan editlock.Event
	err    chan error // the last error yielded, or nil, at the end
	stop   context.CancelFunc
}

func watch(t *testing.T, l editlock.Locker, q editlock.WatchQuery) *watcher {
	ctx, cancel := context.WithCancel(as(t, smith))
	w := &watcher{events: make(chan editlock.Event, 1024), err: make(chan error, 1), stop: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var last error
		for e, err := range l.Watch(ctx, q) {
			if last = err; err == nil {
				w.events <- e
			}
		}
		w.err <- last
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return w
}

// next is the next event.
func (w *watcher) next(t *testing.T) editlock.Event {
	t.Helper()
	select {
	case e := <-w.events:
		return e
	case err := <-w.err:
		t.Fatalf("the watch ended: %v", err)
	case <-time.After(patience):
		t.Fatalf("no event within %v", patience)
	}
	panic("unreachable")
}

// take receives the next n events.
func (w *watcher) take(t *testing.T, n int) []editlock.Event {
	t.Helper()
	var all []editlock.Event
	for range n {
		all = append(all, w.next(t))
	}
	return all
}

// wantRest checks that the events of a query are exactly those of the history
// behind a number: each once, in order.
func wantRest(t *testing.T, l editlock.Locker, after uint64, q editlock.HistoryQuery, got []editlock.Event) {
	t.Helper()
	want := history(t, l, q)
	slices.Reverse(want)
	want = slices.DeleteFunc(want, func(e editlock.Event) bool { return e.Seq <= after })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-history +got):\n%s", diff)
	}
}

// eventful makes events of every kind and tells how many.
func eventful(t *testing.T, s System) (n int) {
	t.Helper()
	m := capture(as(t, ivanov), t, s.Locker, doc, nil)
	first, second := s.wait(t, petrova, doc, nil), s.wait(t, smith, doc, nil)
	if _, err := s.Locker.Decline(as(t, ivanov), doc, standing(t, s.Locker, doc).Waiters[0].ID, "no"); err != nil {
		t.Fatalf("Decline: %v", err)
	}
	first.end(t)
	if _, err := s.Locker.HandOver(as(t, ivanov), doc); err != nil {
		t.Fatalf("HandOver: %v", err)
	}
	m = second.granted(t)
	if m, err := s.Locker.Takeover(as(t, petrova), doc, m.Token, why, nil); err != nil {
		t.Fatalf("Takeover: %v", err)
	} else if err := s.Locker.ForceRelease(as(t, smith), doc, m.Token, why); err != nil {
		t.Fatalf("ForceRelease: %v", err)
	}
	capture(as(t, ivanov), t, s.Locker, doc, nil)
	release(as(t, ivanov), t, s.Locker, doc)
	s.lapse(t, capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)}))
	eventually(t, "the expiry to be told", func() bool {
		return len(history(t, s.Locker, editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindExpired}})) > 0
	})
	return len(history(t, s.Locker, editlock.HistoryQuery{}))
}

// beginning resumes behind number 0: all there ever was.
func beginning() *uint64 { return new(uint64) }

// testWatch checks events: each once, in order, as the history has them.
func testWatch(t *testing.T, h Harness) {
	t.Run("tells of every kind, as the history does", func(t *testing.T) {
		s := h.Open(t)
		w := watch(t, s.Locker, editlock.WatchQuery{After: beginning()})
		n := eventful(t, s)
		got := w.take(t, n)
		wantRest(t, s.Locker, 0, editlock.HistoryQuery{}, got)
		told := make(map[editlock.EventKind]bool)
		for _, e := range got {
			told[e.Kind] = true
		}
		for _, k := range []editlock.EventKind{
			editlock.KindCaptured, editlock.KindReleased, editlock.KindExpired, editlock.KindTakenOver,
			editlock.KindForceReleased, editlock.KindHandedOver, editlock.KindWaiting, editlock.KindDeclined,
		} {
			if !told[k] {
				t.Errorf("no event of kind %q", k)
			}
		}
	})
	t.Run("resumes anywhere without loss or repetition", func(t *testing.T) {
		s := h.Open(t)
		n := eventful(t, s)
		all := watch(t, s.other(), editlock.WatchQuery{After: beginning()}).take(t, n)
		for i, e := range all[:n-1] {
			got := watch(t, s.Locker, editlock.WatchQuery{After: &e.Seq}).take(t, n-1-i)
			wantRest(t, s.Locker, e.Seq, editlock.HistoryQuery{}, got)
		}
	})
	t.Run("resumes at the end and goes on with what is new", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		last := history(t, s.Locker, editlock.HistoryQuery{})[0].Seq
		w := watch(t, s.other(), editlock.WatchQuery{After: &last})
		release(as(t, ivanov), t, s.Locker, doc)
		if e := w.next(t); e.Kind != editlock.KindReleased {
			t.Errorf("the first event is %+v, want the release", e)
		}
	})
	t.Run("without a number tells from now on", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		before := history(t, s.Locker, editlock.HistoryQuery{})[0].Seq
		w := watch(t, s.Locker, editlock.WatchQuery{})
		// Nobody tells when a watch has begun: make events until it does.
		var first editlock.Event
		i := 0
		eventually(t, "an event", func() bool {
			capture(as(t, petrova), t, s.Locker, editlock.ID{Mode: "row", ID: fmt.Sprint(i)}, nil)
			i++
			select {
			case first = <-w.events:
				return true
			default:
				return false
			}
		})
		if first.Seq <= before {
			t.Errorf("the first event is %+v, from before the watch", first)
		}
	})
	t.Run("many events under many watchers: each once, in order", func(t *testing.T) {
		s := h.Open(t)
		lockers := []editlock.Locker{s.Locker, s.other()}
		var all []*watcher
		for i := range 6 {
			all = append(all, watch(t, lockers[i%2], editlock.WatchQuery{After: beginning()}))
		}
		const n = 300
		for i := range n / 2 {
			id := editlock.ID{Mode: "row", ID: fmt.Sprint(i)}
			capture(as(t, ivanov), t, lockers[i%2], id, nil)
			release(as(t, ivanov), t, lockers[i%2], id)
		}
		for _, w := range all {
			wantRest(t, s.Locker, 0, editlock.HistoryQuery{}, w.take(t, n))
		}
	})
	t.Run("an expiry is told though nobody asks", func(t *testing.T) {
		s := h.Open(t)
		w := watch(t, s.Locker, editlock.WatchQuery{After: beginning()})
		m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
		got := w.take(t, 2)
		if got[1].Kind != editlock.KindExpired || got[1].Token != m.Token || !got[1].At.Equal(m.ExpiresAt) {
			t.Errorf("the second event is %+v, want the expiry at %v", got[1], m.ExpiresAt)
		}
	})

	watchFilters(t, h)
	watchEnds(t, h)
}

func watchFilters(t *testing.T, h Harness) {
	s := h.Open(t)
	ids := []editlock.ID{{Group: "a", Mode: "doc", ID: "1"}, {Group: "a", Mode: "row", ID: "1"}, {Group: "ab", Mode: "doc", ID: "1"}}
	// In two rounds, so that what a filter should keep out stands before what
	// it lets in.
	for range 2 {
		for _, id := range ids {
			capture(as(t, ivanov), t, s.Locker, id, nil)
			release(as(t, ivanov), t, s.Locker, id)
			m := capture(as(t, petrova), t, s.Locker, id, nil)
			now, err := s.Locker.Takeover(as(t, ivanovAgain), id, m.Token, why, nil)
			if err != nil {
				t.Fatalf("Takeover: %v", err)
			}
			if err := s.Locker.ForceRelease(as(t, ivanov), id, now.Token, why); err != nil {
				t.Fatalf("ForceRelease: %v", err)
			}
		}
	}
	all := history(t, s.Locker, editlock.HistoryQuery{})
	slices.Reverse(all)
	for _, tt := range []struct {
		name  string
		query editlock.WatchQuery
		keep  func(e editlock.Event) bool
	}{
		{"a mutex", editlock.WatchQuery{ID: &ids[0]}, func(e editlock.Event) bool { return e.ID == ids[0] }},
		{"a group, not those that begin like it", editlock.WatchQuery{Group: "a"}, func(e editlock.Event) bool { return e.ID.Group == "a" }},
		{"a mode in all groups", editlock.WatchQuery{Mode: "doc"}, func(e editlock.Event) bool { return e.ID.Mode == "doc" }},
		{"a group and a mode", editlock.WatchQuery{Group: "a", Mode: "row"}, func(e editlock.Event) bool { return e.ID == ids[1] }},
		{"a session as owner, actor or other side", editlock.WatchQuery{Session: petrova.Session}, func(e editlock.Event) bool {
			return e.Owner == petrova || e.Actor == petrova || e.Other == petrova
		}},
	} {
		t.Run("only of "+tt.name, func(t *testing.T) {
			want := slices.DeleteFunc(slices.Clone(all), func(e editlock.Event) bool { return !tt.keep(e) })
			q := tt.query
			q.After = beginning()
			w := watch(t, s.Locker, q)
			if diff := cmp.Diff(want, w.take(t, len(want))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func watchEnds(t *testing.T, h Harness) {
	t.Run("a number not given out yet is invalid", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		future := uint64(m.Token) + 1000
		w := watch(t, s.Locker, editlock.WatchQuery{After: &future})
		select {
		case err := <-w.err:
			wantInvalid(t, err, "after")
		case e := <-w.events:
			t.Errorf("yielded %+v", e)
		case <-time.After(patience):
			t.Errorf("waits for the future")
		}
	})
	t.Run("ends with its context", func(t *testing.T) {
		s := h.Open(t)
		w := watch(t, s.Locker, editlock.WatchQuery{After: beginning()})
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w.next(t)
		w.stop()
		select {
		case err := <-w.err:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v, want %v or nothing", err, context.Canceled)
			}
		case <-time.After(patience):
			t.Error("goes on")
		}
	})
	t.Run("ends when its loop breaks", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		for e, err := range s.Locker.Watch(as(t, smith), editlock.WatchQuery{After: beginning()}) {
			if err != nil || e.Kind != editlock.KindCaptured {
				t.Errorf("yielded %+v, %v", e, err)
			}
			break
		}
		release(as(t, ivanov), t, s.Locker, doc) // the Locker works on
	})
}
