package locktest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testEditLock follows m3-mutex's page "simple usage" line by line.
func testEditLock(t *testing.T, h Harness) {
	t.Run("Check", func(t *testing.T) { editCheck(t, h) })
	t.Run("Block", func(t *testing.T) { editBlock(t, h) })
	t.Run("Refresh", func(t *testing.T) { editRefresh(t, h) })
	t.Run("Release", func(t *testing.T) { editRelease(t, h) })
	t.Run("ObjectID", func(t *testing.T) { editObjectID(t, h) })
	t.Run("Page", func(t *testing.T) { editPage(t, h) })
}

// The object and the browser tabs ("requests") of the flows.
const (
	object, mode = "42", "contract"
	tab1, tab2   = "request-1", "request-2"
)

var contract = editlock.ID{Mode: mode, ID: object}

func editLock(s System) *editlock.EditLock { return &editlock.EditLock{Locker: s.Locker} }

// block blocks or fails the test.
func block(ctx context.Context, t *testing.T, e *editlock.EditLock, request string) {
	t.Helper()
	if err := e.Block(ctx, object, mode, request); err != nil {
		t.Fatalf("Block: %v", err)
	}
}

func editCheck(t *testing.T, h Harness) {
	for _, tt := range []struct {
		name    string
		blocked *editlock.Owner
		tab     string
		want    bool
	}{
		{"true if the object is free", nil, tab1, true},
		{"true if I block it in this tab", &ivanov, tab1, true},
		{"true if I block it in another tab", &ivanov, tab2, true},
		{"false if another blocks it", &petrova, tab1, false},
		{"false if another blocks it by the same request id", &petrova, tab2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			e := editLock(s)
			if tt.blocked != nil {
				block(as(t, *tt.blocked), t, e, tab2)
			}
			before := standing(t, s.Locker, contract)
			got, err := e.Check(as(t, ivanov), object, mode, tt.tab)
			if got != tt.want || err != nil {
				t.Errorf("Check = %v, %v; want %v", got, err, tt.want)
			}
			sameMutex(t, "the mutex after a check", standing(t, s.Locker, contract), before)
		})
	}
}

func editBlock(t *testing.T, h Harness) {
	t.Run("a free object: captured, the request id is its status data", func(t *testing.T) {
		s := h.Open(t)
		block(as(t, ivanov), t, editLock(s), tab1)
		m := standing(t, s.Locker, contract)
		if m.Owner != ivanov || m.StatusData != tab1 || m.AutoRelease.Idle != editlock.DefaultIdle {
			t.Errorf("captured as %+v", m)
		}
	})
	for _, tt := range []struct {
		name string
		by   editlock.Owner
		tab  string
		self bool
	}{
		{"another's object: refused with the holder's name", petrova, tab2, false},
		{"another's object: refused even by the same request id", petrova, tab1, false},
		{"mine in a second tab: refused, and told that it is myself", ivanov, tab2, true},
		{"mine in the same tab: refused too", ivanov, tab1, true},
		{"mine in another session: refused, and told that it is myself", ivanovAgain, tab1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			e := editLock(s)
			block(as(t, tt.by), t, e, tt.tab)
			before := standing(t, s.Locker, contract)
			busy := wantBusy(t, e.Block(as(t, ivanov), object, mode, tab1), before)
			if busy.Self != tt.self || busy.Holder.Owner.Name != tt.by.Name {
				t.Errorf("refused by %q, Self %v; want %q, %v", busy.Holder.Owner.Name, busy.Self, tt.by.Name, tt.self)
			}
			wantStanding(t, s.Locker, before)
		})
	}
	t.Run("the group and the auto release of the EditLock are used", func(t *testing.T) {
		s := h.Open(t)
		e := &editlock.EditLock{Locker: s.Locker, Group: "office", AutoRelease: editlock.TimeoutAutoRelease(time.Minute)}
		block(as(t, ivanov), t, e, tab1)
		m := standing(t, s.Locker, editlock.ID{Group: "office", Mode: mode, ID: object})
		if m.StatusData != tab1 || m.AutoRelease != e.AutoRelease {
			t.Errorf("captured as %+v", m)
		}
		wantFree(t, s.Locker, contract)
	})
	t.Run("two tabs at once: one blocks", func(t *testing.T) {
		for range rounds(20, 200) {
			s := h.Open(t)
			e := editLock(s)
			var wg sync.WaitGroup
			tabs := []string{tab1, tab2}
			errs := make([]error, len(tabs))
			for i, tab := range tabs {
				wg.Go(func() { errs[i] = e.Block(as(t, ivanov), object, mode, tab) })
			}
			wg.Wait()
			winner := 0
			if errs[0] != nil {
				winner = 1
			}
			m := standing(t, s.Locker, contract)
			if errs[winner] != nil || m.StatusData != tabs[winner] {
				t.Fatalf("errors %v; the mutex stands for %q", errs, m.StatusData)
			}
			wantBusy(t, errs[1-winner], m)
		}
	})
}

func editRefresh(t *testing.T, h Harness) {
	t.Run("mine in this tab: extended", func(t *testing.T) {
		s := h.Open(t)
		e := editLock(s)
		block(as(t, ivanov), t, e, tab1)
		before := standing(t, s.Locker, contract)
		s.pass(time.Minute)
		if err := e.Refresh(as(t, ivanov), object, mode, tab1); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
		wantRefreshed(t, s, before, standing(t, s.Locker, contract))
	})
	t.Run("keeps the auto release it was blocked with", func(t *testing.T) {
		s := h.Open(t)
		e := &editlock.EditLock{Locker: s.Locker, AutoRelease: editlock.TimeoutAutoRelease(time.Minute)}
		block(as(t, ivanov), t, e, tab1)
		if err := e.Refresh(as(t, ivanov), object, mode, tab1); err != nil {
			t.Fatalf("Refresh: %v", err)
		}
		if m := standing(t, s.Locker, contract); m.AutoRelease != e.AutoRelease {
			t.Errorf("auto release is %+v, want %+v", m.AutoRelease, e.AutoRelease)
		}
	})
	for _, tt := range []struct {
		name string
		by   *editlock.Owner
	}{
		{"mine in another tab: the lock is lost", &ivanov},
		{"another's: the lock is lost", &petrova},
		{"mine in another session: the lock is lost", &ivanovAgain},
		{"free: the lock is lost, and not captured", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			e := editLock(s)
			if tt.by == nil {
				wantLost(t, e.Refresh(as(t, ivanov), object, mode, tab1), nil)
				wantFree(t, s.Locker, contract)
				return
			}
			block(as(t, *tt.by), t, e, tab2)
			before := standing(t, s.Locker, contract)
			wantLost(t, e.Refresh(as(t, ivanov), object, mode, tab1), &before)
			wantStanding(t, s.Locker, before)
		})
	}
	t.Run("expired: the lock is lost, and not captured", func(t *testing.T) {
		s := h.Open(t)
		e := &editlock.EditLock{Locker: s.Locker, AutoRelease: editlock.TimeoutAutoRelease(lease)}
		block(as(t, ivanov), t, e, tab1)
		s.lapse(t, standing(t, s.Locker, contract))
		wantLost(t, e.Refresh(as(t, ivanov), object, mode, tab1), nil)
		wantFree(t, s.Locker, contract)
	})
	t.Run("taken over: says by whom, when and why", func(t *testing.T) {
		s := h.Open(t)
		e := editLock(s)
		block(as(t, ivanov), t, e, tab1)
		theirs, err := s.Locker.Takeover(as(t, petrova), contract, standing(t, s.Locker, contract).Token, "urgent", nil)
		if err != nil {
			t.Fatalf("Takeover: %v", err)
		}
		wantTakenOver(t, wantLost(t, e.Refresh(as(t, ivanov), object, mode, tab1), &theirs), petrova, theirs, "urgent")
	})
}

func editRelease(t *testing.T, h Harness) {
	for _, tt := range []struct {
		name  string
		by    editlock.Owner
		tab   string
		freed bool
	}{
		{"mine in this tab: freed", ivanov, tab1, true},
		{"mine in another tab: nothing happens", ivanov, tab2, false},
		{"another's: nothing happens", petrova, tab1, false},
		{"mine in another session: nothing happens", ivanovAgain, tab1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			e := editLock(s)
			block(as(t, tt.by), t, e, tt.tab)
			before := standing(t, s.Locker, contract)
			if err := e.Release(as(t, ivanov), object, mode, tab1); err != nil {
				t.Fatalf("Release: %v", err)
			}
			if tt.freed {
				wantFree(t, s.Locker, contract)
			} else {
				wantStanding(t, s.Locker, before)
			}
		})
	}
	t.Run("free: nothing happens", func(t *testing.T) {
		s := h.Open(t)
		if err := editLock(s).Release(as(t, ivanov), object, mode, tab1); err != nil {
			t.Errorf("Release: %v", err)
		}
		if got := history(t, s.Locker, editlock.HistoryQuery{}); len(got) != 0 {
			t.Errorf("history tells %v of a release of nothing", kinds(got))
		}
	})
}

func editObjectID(t *testing.T, h Harness) {
	s := h.Open(t)
	e := &editlock.EditLock{Locker: s.Locker, ObjectID: func(id string) string { return "v2-" + id }}
	moved := editlock.ID{Mode: mode, ID: "v2-" + object}
	ctx := as(t, ivanov)

	block(ctx, t, e, tab1)
	if m := standing(t, s.Locker, moved); m.Owner != ivanov || m.StatusData != tab1 {
		t.Errorf("Block captured %+v", m)
	}
	wantFree(t, s.Locker, contract)
	if ok, err := e.Check(as(t, petrova), object, mode, tab1); ok || err != nil {
		t.Errorf("Check by another = %v, %v; want false", ok, err)
	}
	if err := e.Refresh(ctx, object, mode, tab1); err != nil {
		t.Errorf("Refresh: %v", err)
	}
	if err := e.Release(ctx, object, mode, tab1); err != nil {
		t.Errorf("Release: %v", err)
	}
	wantFree(t, s.Locker, moved)
}

// editPage runs the page's own calls beside an EditLock: a program that
// follows the page to the letter, and an EditLock, see each other's locks.
func editPage(t *testing.T, h Harness) {
	t.Run("block, work, release, as at the page's end", func(t *testing.T) {
		s := h.Open(t)
		e := editLock(s)
		ctx := as(t, ivanov)
		worked := false
		if err := e.Block(ctx, object, mode, tab1); err == nil {
			worked = true
			if err := e.Release(ctx, object, mode, tab1); err != nil {
				t.Errorf("Release: %v", err)
			}
		}
		if !worked {
			t.Error("the object is busy")
		}
		wantFree(t, s.Locker, contract)
	})
	t.Run("the page's block is seen by an EditLock", func(t *testing.T) {
		s := h.Open(t)
		e := editLock(s)
		if state, _, _ := s.Locker.Request(as(t, petrova), contract); state != editlock.Free {
			t.Fatalf("Request = %v", state)
		}
		theirs := capture(as(t, petrova), t, s.Locker, contract, &editlock.CaptureOptions{StatusData: tab1})
		if ok, err := e.Check(as(t, ivanov), object, mode, tab1); ok || err != nil {
			t.Errorf("Check = %v, %v; want false", ok, err)
		}
		wantBusy(t, e.Block(as(t, ivanov), object, mode, tab1), theirs)
		wantLost(t, e.Refresh(as(t, ivanov), object, mode, tab1), &theirs)
		if err := e.Refresh(as(t, petrova), object, mode, tab1); err != nil {
			t.Errorf("Refresh of her own: %v", err)
		}
		if err := e.Release(as(t, petrova), object, mode, tab1); err != nil {
			t.Errorf("Release of her own: %v", err)
		}
		wantFree(t, s.Locker, contract)
	})
	t.Run("an EditLock's block is seen by the page", func(t *testing.T) {
		s := h.Open(t)
		block(as(t, ivanov), t, editLock(s), tab1)
		state, m, err := s.Locker.Request(as(t, petrova), contract)
		if state != editlock.CapturedByOther || m.Owner.Name != ivanov.Name || err != nil {
			t.Errorf("Request = %v, %q, %v", state, m.Owner.Name, err)
		}
		if _, err := s.Locker.Capture(as(t, petrova), contract, &editlock.CaptureOptions{StatusData: tab2}); !errors.Is(err, editlock.ErrBusy) {
			t.Errorf("Capture by another: %v", err)
		}
	})
	t.Run("the page's refresh and release work on an EditLock's block", func(t *testing.T) {
		s := h.Open(t)
		ctx := as(t, ivanov)
		block(ctx, t, editLock(s), tab1)
		state, m, err := s.Locker.Request(ctx, contract)
		if state != editlock.CapturedByMe || m.StatusData != tab1 || err != nil {
			t.Fatalf("Request = %v, %q, %v", state, m.StatusData, err)
		}
		if got := capture(ctx, t, s.Locker, contract, &editlock.CaptureOptions{StatusData: tab1}); got.Token != m.Token {
			t.Errorf("the refresh got token %d, want %d", got.Token, m.Token)
		}
		// The page's release captures once more to read the status data.
		if got := capture(ctx, t, s.Locker, contract, nil); got.StatusData != tab1 {
			t.Errorf("status data is %q, want %q", got.StatusData, tab1)
		}
		release(ctx, t, s.Locker, contract)
		wantFree(t, s.Locker, contract)
	})
}
