package locktest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/editlock/editlock"
)

// testContention lets many capture one free mutex at once.
func testContention(t *testing.T, h Harness) {
	const callers = 200
	t.Run("200 at once: one wins, the others are told who", func(t *testing.T) {
		s := h.Open(t)
		owners := make([]editlock.Owner, callers)
		for i := range owners {
			owners[i] = editlock.Owner{Session: fmt.Sprintf("s%d", i), UserID: fmt.Sprint(i), Name: fmt.Sprintf("Caller %d", i)}
		}
		var last editlock.Token
		for round := range rounds(10, 1000) {
			winner := race(t, s, owners)
			if winner.Token <= last {
				t.Fatalf("round %d: token %d after %d", round, winner.Token, last)
			}
			last = winner.Token
			release(as(t, winner.Owner), t, s.Locker, doc)
		}
	})
	t.Run("200 tabs of one session at once: one new capture, one token", func(t *testing.T) {
		s := h.Open(t)
		tokens := make([]editlock.Token, callers)
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				m, err := s.Locker.Capture(as(t, ivanov), doc, nil)
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				tokens[i] = m.Token
			})
		}
		wg.Wait()
		for i, token := range tokens {
			if token != tokens[0] {
				t.Fatalf("caller %d got token %d, caller 0 %d", i, token, tokens[0])
			}
		}
	})
}

// race lets all owners capture the mutex at once and returns the winner's.
func race(t *testing.T, s System, owners []editlock.Owner) editlock.Mutex {
	t.Helper()
	lockers := []editlock.Locker{s.Locker, s.other()}
	got := make([]editlock.Mutex, len(owners))
	errs := make([]error, len(owners))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, o := range owners {
		wg.Go(func() {
			<-start
			got[i], errs[i] = lockers[i%2].Capture(as(t, o), doc, nil)
		})
	}
	close(start)
	wg.Wait()

	var winner *editlock.Mutex
	for i, err := range errs {
		if err == nil && winner != nil {
			t.Fatalf("%s and %s both captured", winner.Owner.Name, owners[i].Name)
		}
		if err == nil {
			winner = &got[i]
			if winner.Owner != owners[i] {
				t.Fatalf("%s got the mutex of %s", owners[i].Name, winner.Owner.Name)
			}
		}
	}
	if winner == nil {
		t.Fatalf("nobody won: %v", errs[0])
	}
	for _, err := range errs {
		if err != nil {
			wantBusy(t, err, *winner)
		}
	}
	return *winner
}
