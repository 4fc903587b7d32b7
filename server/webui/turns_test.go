package webui

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
)

func TestTurns_LetNoReaderKeepTheOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, began := newTurns(), time.Now()
		second := func() { time.Sleep(time.Second) }
		ended := make(chan error, 20)
		for range cap(ended) {
			go func() { ended <- turns.take(t.Context(), "many", quick+1, second) }()
		}
		synctest.Wait()
		for n := range 2 { // each has one before it, and both rest
			if err := turns.take(t.Context(), "one", quick+1, second); err != nil || time.Since(began) > time.Duration(n+1)*4*time.Second {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
		}
		if err := turns.take(t.Context(), "quick", quick, func() {}); err != nil {
			t.Error(err)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := turns.take(gone, "gone", quick+1, second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a reader who has left: %v", err)
		}
		limited := 0
		for range cap(ended) {
			if err := <-ended; errors.Is(err, editlock.ErrLimited) {
				limited++
			} else if err != nil {
				t.Error(err)
			}
		}
		if limited == 0 || limited == cap(ended) || len(turns.own) != 0 {
			t.Errorf("%d of %d came too late; %d readers are remembered", limited, cap(ended), len(turns.own))
		}
		time.Sleep(longestRest)
	})
}

// Readers who are known may see a part of all locks. What one page of theirs costs
// does not grow with a copy of them, however they are ordered and wherever it is.
func TestList_IsNotCopiedForEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that all is made of one scan, however busy the machine
		const few, many, requests = 10_000, 40_000, 4
		for _, query := range []string{"?sort=who", "?sort=-since&page=100", "?person=u:person07"} {
			bytes := func(locks int) uint64 {
				v := visit(t, crowd(locks), "")
				v.manager = New(crowd(locks), &Options{Identify: func(*http.Request) Identity {
					return Identity{Owner: person("Ivanov"), Visible: []editlock.Area{{Group: "g1", Mode: "*"}, {Group: "g2", Mode: "m"}, {Group: "g3", Mode: "*"}}}
				}})
				if got, want := countsOn(v.get("/"+query)), visibleOf(locks); query != "?person=u:person07" && got["locks"] != want {
					t.Fatalf("%s locks are shown, want %s", got["locks"], want)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range requests {
					v.get("/" + query)
				}
				runtime.ReadMemStats(&after)
				return (after.TotalAlloc - before.TotalAlloc) / requests
			}
			if small, large := bytes(few), bytes(many); large > small+(many-few) {
				t.Errorf("/%s takes %d bytes of %d locks, and %d of %d", query, small, few, large, many)
			}
		}
	})
}

// visibleOf is what a page says of three quarters of all locks.
func visibleOf(locks int) string {
	return loadWords("en").number(locks * 3 / 4)
}

// Whatever readers do, a huge store is not read all the time.
func TestScanner_ReadsAHugeStoreHalfOfTheTimeAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowly{fixed: office()}
		s := newScanner(l, nil, maxLocks)
		for began := time.Now(); time.Since(began) < time.Minute; {
			if _, _, err := s.get(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.forget()
			time.Sleep(100 * time.Millisecond)
		}
		if l.lists < 10 || l.lists > 16 {
			t.Errorf("a store that takes 2 s to read was read %d times in a minute", l.lists)
		}
	})
}

// A reader who leaves, again and again, ends no scan that all are waiting for.
func TestScanner_ReadsOnWhenItsReaderHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowly{fixed: office()}
		s := newScanner(l, nil, maxLocks)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		_, _, _ = s.get(ctx)
		if _, _, err := s.get(t.Context()); err != nil || l.began != 1 {
			t.Errorf("%v after %d reads", err, l.began)
		}
	})
}

// slowly takes two seconds for a page.
type slowly struct {
	*fixed
	began int // calls of List
}

func (l *slowly) List(ctx context.Context, q editlock.Query) (editlock.Page, error) {
	l.began++
	select {
	case <-time.After(2 * time.Second):
		return l.fixed.List(ctx, q)
	case <-ctx.Done():
		return editlock.Page{}, ctx.Err()
	}
}
