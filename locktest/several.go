package locktest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// rows are n mutexes, in no particular order.
func rows(n int) []editlock.ID {
	ids := make([]editlock.ID, n)
	for i := range ids {
		ids[i] = editlock.ID{Group: "demo", Mode: "row", ID: fmt.Sprint((i*7 + 3) % n)}
	}
	return ids
}

// testSeveral checks the capture of several mutexes, all or none.
func testSeveral(t *testing.T, h Harness) {
	t.Run("all free: all captured, in the order given", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(5)
		got, err := s.Locker.CaptureAll(as(t, ivanov), ids, &editlock.CaptureOptions{StatusData: "x"})
		if err != nil || len(got) != len(ids) {
			t.Fatalf("CaptureAll gave %d mutexes, %v", len(got), err)
		}
		tokens := make(map[editlock.Token]bool)
		for i, m := range got {
			if m.ID != ids[i] || m.Owner != ivanov || m.StatusData != "x" {
				t.Errorf("mutex %d is %+v, want %v", i, m, ids[i])
			}
			tokens[m.Token] = true
			wantStanding(t, s.Locker, m)
		}
		if len(tokens) != len(ids) {
			t.Errorf("%d different tokens for %d mutexes", len(tokens), len(ids))
		}
	})
	t.Run("some mine: refreshed, the others captured", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(3)
		mine := capture(as(t, ivanov), t, s.Locker, ids[1], &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Minute)})
		s.pass(10 * time.Second)
		got, err := s.Locker.CaptureAll(as(t, ivanov), ids, nil)
		if err != nil {
			t.Fatalf("CaptureAll: %v", err)
		}
		wantRefreshed(t, s, mine, got[1])
		wantNew(t, got[0], ids[0], ivanov)
		wantNew(t, got[2], ids[2], ivanov)
	})
	t.Run("some another's: none captured, every holder named", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(5)
		hers := capture(as(t, petrova), t, s.Locker, ids[1], nil)
		mine := capture(as(t, ivanov), t, s.Locker, ids[2], nil)
		theirs := capture(as(t, smith), t, s.Locker, ids[3], nil)
		got, err := s.Locker.CaptureAll(as(t, ivanov), ids, nil)
		if got != nil {
			t.Errorf("a refusal came with %d mutexes", len(got))
		}
		wantHolders(t, wantBusy(t, err, hers), hers, theirs)
		wantFree(t, s.Locker, ids[0])
		wantFree(t, s.Locker, ids[4])
		for _, m := range []editlock.Mutex{hers, mine, theirs} {
			wantStanding(t, s.Locker, m)
		}
	})
	t.Run("IfFree and some mine: none captured, I am named", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(3)
		mine := capture(as(t, ivanov), t, s.Locker, ids[2], nil)
		_, err := s.Locker.CaptureAll(as(t, ivanov), ids, &editlock.CaptureOptions{If: editlock.IfFree()})
		e := wantBusy(t, err, mine)
		wantHolders(t, e, mine)
		if !e.Self {
			t.Error("Self is false")
		}
		wantFree(t, s.Locker, ids[0])
		wantStanding(t, s.Locker, mine)
	})
	t.Run("expired ones are free", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(3)
		s.lapse(t, capture(as(t, petrova), t, s.Locker, ids[1], &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)}))
		if _, err := s.Locker.CaptureAll(as(t, ivanov), ids, nil); err != nil {
			t.Errorf("CaptureAll: %v", err)
		}
	})
	t.Run("as many as allowed", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(editlock.MaxBatch)
		got, err := s.Locker.CaptureAll(as(t, ivanov), ids, nil)
		if err != nil || len(got) != len(ids) {
			t.Fatalf("CaptureAll gave %d mutexes, %v", len(got), err)
		}
		released, err := s.Locker.ReleaseAll(as(t, ivanov), ids)
		if err != nil || len(released) != len(ids) {
			t.Errorf("ReleaseAll gave %d, %v", len(released), err)
		}
	})
	t.Run("opposite orders at once: one wins, nobody is stuck", func(t *testing.T) {
		s := h.Open(t)
		there := rows(20)
		back := slices.Clone(there)
		slices.Reverse(back)
		for round := range rounds(40, 1000) {
			allOrNone(t, s, round, [][]editlock.ID{there, back})
		}
	})
	t.Run("overlapping rings at once: all or none each", func(t *testing.T) {
		s := h.Open(t)
		r := rows(3)
		for round := range rounds(40, 1000) {
			allOrNone(t, s, round, [][]editlock.ID{{r[0], r[1]}, {r[1], r[2]}, {r[2], r[0]}})
		}
	})

	testReleaseAll(t, h)
}

// wantHolders checks that a refusal names exactly these in the way.
func wantHolders(t *testing.T, e *editlock.BusyError, want ...editlock.Mutex) {
	t.Helper()
	if len(e.Holders) != len(want) {
		t.Fatalf("%d holders named (%v), want %d", len(e.Holders), names(e.Holders), len(want))
	}
	for i := range want {
		sameMutex(t, fmt.Sprintf("holder %d", i), e.Holders[i], want[i])
	}
}

// allOrNone lets owners capture overlapping sets at once: exactly one wins,
// and holds their whole set while the others hold nothing.
func allOrNone(t *testing.T, s System, round int, sets [][]editlock.ID) {
	t.Helper()
	lockers := []editlock.Locker{s.Locker, s.other()}
	owners := []editlock.Owner{ivanov, petrova, smith}
	errs := make([]error, len(sets))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, ids := range sets {
		wg.Go(func() {
			<-start
			_, errs[i] = lockers[i%2].CaptureAll(as(t, owners[i]), ids, nil)
		})
	}
	close(start)
	wg.Wait()
	winners := 0
	for i, ids := range sets {
		held := list(t, s.Locker, editlock.Query{Session: owners[i].Session})
		switch {
		case errs[i] == nil:
			winners++
			if len(held) != len(ids) {
				t.Fatalf("round %d: the winner holds %v, want all of %v", round, names(held), ids)
			}
			if released, err := s.Locker.ReleaseAll(as(t, owners[i]), ids); err != nil || len(released) != len(ids) {
				t.Fatalf("round %d: ReleaseAll = %v, %v", round, released, err)
			}
		case len(held) > 0:
			t.Fatalf("round %d: refused, but holds %v", round, names(held))
		}
	}
	if winners != 1 {
		t.Fatalf("round %d: %d winners (%v), want 1", round, winners, errs)
	}
}

func testReleaseAll(t *testing.T, h Harness) {
	t.Run("ReleaseAll releases mine, leaves the others and tells which", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(4)
		capture(as(t, ivanov), t, s.Locker, ids[0], nil)
		hers := capture(as(t, petrova), t, s.Locker, ids[1], nil)
		capture(as(t, ivanov), t, s.Locker, ids[3], nil)
		released, err := s.Locker.ReleaseAll(as(t, ivanov), ids)
		if err != nil {
			t.Fatalf("ReleaseAll: %v", err)
		}
		if diff := cmp.Diff([]editlock.ID{ids[0], ids[3]}, released); diff != "" {
			t.Errorf("released (-want +got):\n%s", diff)
		}
		wantStanding(t, s.Locker, hers)
		wantFree(t, s.Locker, ids[0])
		wantFree(t, s.Locker, ids[3])
	})
	t.Run("ReleaseAll of what is free tells nothing", func(t *testing.T) {
		s := h.Open(t)
		if released, err := s.Locker.ReleaseAll(as(t, ivanov), rows(3)); len(released) != 0 || err != nil {
			t.Errorf("ReleaseAll = %v, %v", released, err)
		}
	})
}

// testReleaseSession checks the end of a session.
func testReleaseSession(t *testing.T, h Harness) {
	t.Run("releases everything of the session and nothing else", func(t *testing.T) {
		s := h.Open(t)
		ids := rows(9)
		var kept []editlock.Mutex
		var want []string
		for i, id := range ids {
			by := []editlock.Owner{ivanov, ivanovAgain, petrova}[i%3]
			m := capture(as(t, by), t, s.Locker, id, nil)
			if by == ivanov {
				want = append(want, id.String())
			} else {
				kept = append(kept, m)
			}
		}
		released, err := s.Locker.ReleaseSession(as(t, ivanov), ivanov.Session)
		if err != nil {
			t.Fatalf("ReleaseSession: %v", err)
		}
		var got []string
		for _, id := range released {
			got = append(got, id.String())
			wantFree(t, s.Locker, id)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("released (-want +got):\n%s", diff)
		}
		for _, m := range kept {
			wantStanding(t, s.Locker, m)
		}
	})
	t.Run("releases more than a page", func(t *testing.T) {
		s := h.Open(t)
		const n = editlock.MaxBatch + 234
		ids := rows(n)
		for _, part := range [][]editlock.ID{ids[:editlock.MaxBatch], ids[editlock.MaxBatch:]} {
			if _, err := s.Locker.CaptureAll(as(t, ivanov), part, nil); err != nil {
				t.Fatalf("CaptureAll: %v", err)
			}
		}
		released, err := s.Locker.ReleaseSession(as(t, ivanov), ivanov.Session)
		if err != nil || len(released) != n {
			t.Errorf("released %d, %v; want %d", len(released), err, n)
		}
		if left := list(t, s.Locker, editlock.Query{}); len(left) != 0 {
			t.Errorf("%d are still held", len(left))
		}
	})
	t.Run("of a session that holds nothing releases nothing", func(t *testing.T) {
		s := h.Open(t)
		if released, err := s.Locker.ReleaseSession(as(t, ivanov), "unheard of"); len(released) != 0 || err != nil {
			t.Errorf("ReleaseSession = %v, %v", released, err)
		}
	})
	t.Run("passes on what others wait for", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, nil)
		w := s.wait(t, petrova, doc, nil)
		if _, err := s.Locker.ReleaseSession(as(t, ivanov), ivanov.Session); err != nil {
			t.Fatalf("ReleaseSession: %v", err)
		}
		w.granted(t)
	})
	t.Run("is told in history, with who did it", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		if _, err := s.Locker.ReleaseSession(as(t, smith), ivanov.Session); err != nil {
			t.Fatalf("ReleaseSession: %v", err)
		}
		got := history(t, s.Locker, editlock.HistoryQuery{Kinds: []editlock.EventKind{editlock.KindReleased}})
		if len(got) != 1 || got[0].Owner != ivanov || got[0].Actor != smith || got[0].Token != m.Token {
			t.Errorf("history tells %+v, want the release of %d by %s", got, m.Token, smith.Login)
		}
	})
}
