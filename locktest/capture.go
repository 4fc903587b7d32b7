package locktest

import (
	"context"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testCapture goes through the Capture table cell by cell, and through what a
// capture and a refresh do to the mutex.
func testCapture(t *testing.T, h Harness) {
	t.Run("Table", func(t *testing.T) { captureTable(t, h) })
	t.Run("Free", func(t *testing.T) { captureFree(t, h) })
	t.Run("Refresh", func(t *testing.T) { captureRefreshes(t, h) })
}

// held is what stands before a cell of the table is tried.
const heldData = "chapter 1"

func captureTable(t *testing.T, h Harness) {
	type outcome int
	const (
		captured outcome = iota
		refreshed
		busy
		lost
	)
	type stands struct {
		name string
		put  func(t *testing.T, s System) (before editlock.Mutex) // zero: free
	}
	held := func(by editlock.Owner) func(t *testing.T, s System) editlock.Mutex {
		return func(t *testing.T, s System) editlock.Mutex {
			return capture(as(t, by), t, s.Locker, doc, &editlock.CaptureOptions{
				StatusData: heldData, AutoRelease: editlock.TimeoutAutoRelease(time.Minute),
			})
		}
	}
	var (
		neverHeld = stands{"never held", func(*testing.T, System) editlock.Mutex { return editlock.Mutex{} }}
		released  = stands{"released", func(t *testing.T, s System) editlock.Mutex {
			held(ivanov)(t, s)
			release(as(t, ivanov), t, s.Locker, doc)
			return editlock.Mutex{}
		}}
		expired = stands{"expired", func(t *testing.T, s System) editlock.Mutex {
			s.lapse(t, capture(as(t, petrova), t, s.Locker, doc, &editlock.CaptureOptions{
				StatusData: heldData, AutoRelease: editlock.TimeoutAutoRelease(lease),
			}))
			return editlock.Mutex{}
		}}
		mine     = stands{"mine", held(ivanov)}
		anothers = stands{"another's", held(petrova)}
		myOther  = stands{"mine in another session", held(ivanovAgain)}
	)
	none := func(editlock.Mutex) editlock.Condition { return editlock.Condition{} }
	free := func(editlock.Mutex) editlock.Condition { return editlock.IfFree() }
	data := func(x string) func(editlock.Mutex) editlock.Condition {
		return func(editlock.Mutex) editlock.Condition { return editlock.IfStatusData(x) }
	}
	token := func(m editlock.Mutex) editlock.Condition { return editlock.IfToken(max(m.Token, 1)) }
	wrong := func(m editlock.Mutex) editlock.Condition { return editlock.IfToken(m.Token + 1) }

	for _, cell := range []struct {
		stands stands
		named  string
		cond   func(editlock.Mutex) editlock.Condition
		want   outcome
	}{
		{neverHeld, "no condition", none, captured},
		{neverHeld, "IfFree", free, captured},
		{neverHeld, "IfStatusData", data(heldData), lost},
		{neverHeld, "IfStatusData of nothing", data(""), lost},
		{neverHeld, "IfToken", token, lost},
		{released, "no condition", none, captured},
		{released, "IfFree", free, captured},
		{released, "IfStatusData that was there", data(heldData), lost},
		{released, "IfToken", token, lost},
		{expired, "no condition", none, captured},
		{expired, "IfFree", free, captured},
		{expired, "IfStatusData that was there", data(heldData), lost},
		{expired, "IfToken", token, lost},
		{mine, "no condition", none, refreshed},
		{mine, "IfFree", free, busy},
		{mine, "IfStatusData that equals", data(heldData), refreshed},
		{mine, "IfStatusData that differs", data("chapter 10"), lost},
		{mine, "IfStatusData of nothing", data(""), lost},
		{mine, "IfToken that equals", token, refreshed},
		{mine, "IfToken that differs", wrong, lost},
		{anothers, "no condition", none, busy},
		{anothers, "IfFree", free, busy},
		{anothers, "IfStatusData that equals", data(heldData), lost},
		{anothers, "IfStatusData that differs", data("chapter 10"), lost},
		{anothers, "IfToken that equals", token, lost},
		{anothers, "IfToken that differs", wrong, lost},
		{myOther, "no condition", none, busy},
		{myOther, "IfFree", free, busy},
		{myOther, "IfStatusData that equals", data(heldData), lost},
		{myOther, "IfToken that equals", token, lost},
	} {
		t.Run(cell.stands.name+"/"+cell.named, func(t *testing.T) {
			s := h.Open(t)
			before := cell.stands.put(t, s)
			s.pass(10 * time.Second)
			got, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{If: cell.cond(before)})

			switch cell.want {
			case captured:
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				wantNew(t, got, doc, ivanov)
				wantStanding(t, s.Locker, got)
			case refreshed:
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				wantRefreshed(t, s, before, got)
				wantStanding(t, s.Locker, got)
			case busy:
				self := cell.stands.name != anothers.name
				if e := wantBusy(t, err, before); e.Self != self {
					t.Errorf("Self is %v, want %v", e.Self, self)
				}
				wantStanding(t, s.Locker, before)
			case lost:
				if before.Token == 0 {
					wantLost(t, err, nil)
					wantFree(t, s.Locker, doc)
					return
				}
				wantLost(t, err, &before)
				wantStanding(t, s.Locker, before)
			}
			if err != nil && got.Token != 0 {
				t.Errorf("a refusal came with a mutex: %+v", got)
			}
		})
	}
}

// wantNew checks a mutex just captured with default options.
func wantNew(t *testing.T, m editlock.Mutex, id editlock.ID, by editlock.Owner) {
	t.Helper()
	want := editlock.Mutex{
		ID: id, Owner: by, AutoRelease: editlock.TimeoutAutoRelease(editlock.DefaultIdle), Token: m.Token,
		CapturedAt: m.CapturedAt, RefreshedAt: m.CapturedAt, ExpiresAt: m.CapturedAt.Add(editlock.DefaultIdle),
		Sharing: editlock.Exclusive,
	}
	sameMutex(t, "the mutex captured", m, want)
	if m.Token == 0 || m.CapturedAt.IsZero() {
		t.Errorf("token %d, captured at %v; want both given", m.Token, m.CapturedAt)
	}
	if m.CapturedAt.Location() != time.UTC {
		t.Errorf("captured at %v, want a time in UTC", m.CapturedAt)
	}
	if m.Token >= 1<<53 {
		t.Errorf("token %d does not fit a JavaScript number", m.Token)
	}
}

// wantRefreshed checks that got is before, extended by its own idle time.
func wantRefreshed(t *testing.T, s System, before, got editlock.Mutex) {
	t.Helper()
	if s.Advance != nil && !got.RefreshedAt.After(before.RefreshedAt) {
		t.Errorf("refreshed at %v, want later than %v", got.RefreshedAt, before.RefreshedAt)
	}
	want := before
	want.RefreshedAt = got.RefreshedAt
	want.ExpiresAt = got.RefreshedAt.Add(before.AutoRelease.Idle)
	sameMutex(t, "the mutex refreshed", got, want)
}

func captureFree(t *testing.T, h Harness) {
	t.Run("tokens rise through release and expiry, for every owner", func(t *testing.T) {
		s := h.Open(t)
		var last editlock.Token
		for i, by := range []editlock.Owner{ivanov, ivanov, petrova, ivanovAgain, petrova} {
			m := capture(as(t, by), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(lease)})
			if m.Token <= last {
				t.Fatalf("capture %d got token %d after %d", i, m.Token, last)
			}
			last = m.Token
			if i == 2 {
				s.lapse(t, m)
			} else {
				release(as(t, by), t, s.Locker, doc)
			}
		}
	})
	t.Run("leaves nothing of the holder before", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, petrova), t, s.Locker, doc, &editlock.CaptureOptions{
			StatusData: heldData, AutoRelease: editlock.AutoRelease{Idle: time.Hour, MaxHold: 2 * time.Hour}, GrantAfter: time.Minute,
		})
		release(as(t, petrova), t, s.Locker, doc)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		wantNew(t, m, doc, ivanov)
	})
	t.Run("with all options", func(t *testing.T) {
		s := h.Open(t)
		o := editlock.CaptureOptions{
			StatusData:  "строка 1\nline 2\t\"quoted\" \\ 😀",
			AutoRelease: editlock.AutoRelease{Idle: time.Minute, MaxHold: time.Hour},
			GrantAfter:  30 * time.Second,
			If:          editlock.IfFree(),
		}
		m := capture(as(t, ivanov), t, s.Locker, doc, &o)
		if m.StatusData != o.StatusData || m.AutoRelease != o.AutoRelease || m.GrantAfter != o.GrantAfter {
			t.Errorf("got %+v, want the options %+v", m, o)
		}
		wantStanding(t, s.Locker, m)
	})
	t.Run("without an owner in the context it is the console's", func(t *testing.T) {
		s := h.Open(t)
		ctx := t.Context()
		m := capture(ctx, t, s.Locker, doc, nil)
		if m.Owner != editlock.ConsoleOwner() {
			t.Errorf("owner is %+v, want the console owner %+v", m.Owner, editlock.ConsoleOwner())
		}
		if state, _, err := s.Locker.Request(ctx, doc); state != editlock.CapturedByMe || err != nil {
			t.Errorf("Request = %v, %v, want %v", state, err, editlock.CapturedByMe)
		}
	})
	t.Run("mutexes are independent of each other", func(t *testing.T) {
		s := h.Open(t)
		one := capture(as(t, ivanov), t, s.Locker, doc, nil)
		two := doc
		two.ID = "43"
		capture(as(t, petrova), t, s.Locker, two, nil)
		wantStanding(t, s.Locker, one)
	})
	t.Run("with an ended context captures nothing", func(t *testing.T) {
		s := h.Open(t)
		ctx, cancel := context.WithCancel(as(t, ivanov))
		cancel()
		if _, err := s.Locker.Capture(ctx, doc, nil); err == nil {
			t.Error("captured")
		}
		wantFree(t, s.Locker, doc)
	})
}

func captureRefreshes(t *testing.T, h Harness) {
	first := editlock.CaptureOptions{
		StatusData: heldData, AutoRelease: editlock.AutoRelease{Idle: time.Minute, MaxHold: time.Hour}, GrantAfter: time.Minute,
	}
	for _, tt := range []struct {
		name   string
		opts   editlock.CaptureOptions
		change func(want *editlock.Mutex)
	}{
		{"keeps what the call does not give", editlock.CaptureOptions{}, func(*editlock.Mutex) {}},
		{"replaces the status data it gives", editlock.CaptureOptions{StatusData: "chapter 2"}, func(want *editlock.Mutex) {
			want.StatusData = "chapter 2"
		}},
		{
			"replaces the status data under a condition on the old",
			editlock.CaptureOptions{StatusData: "chapter 2", If: editlock.IfStatusData(heldData)},
			func(want *editlock.Mutex) { want.StatusData = "chapter 2" },
		},
		{"replaces the auto release it gives", editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{Idle: 2 * time.Minute, MaxHold: 2 * time.Hour}}, func(want *editlock.Mutex) {
			want.AutoRelease = editlock.AutoRelease{Idle: 2 * time.Minute, MaxHold: 2 * time.Hour}
		}},
		{"replaces the promise it gives to those who ask", editlock.CaptureOptions{GrantAfter: 2 * time.Minute}, func(want *editlock.Mutex) {
			want.GrantAfter = 2 * time.Minute
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			before := capture(as(t, ivanov), t, s.Locker, doc, &first)
			s.pass(10 * time.Second)
			got := capture(as(t, ivanov), t, s.Locker, doc, &tt.opts)
			tt.change(&before)
			wantRefreshed(t, s, before, got)
			wantStanding(t, s.Locker, got)
		})
	}
	t.Run("keeps the owner as of the capture", func(t *testing.T) {
		s := h.Open(t)
		before := capture(as(t, ivanov), t, s.Locker, doc, nil)
		moved := ivanov
		moved.Host = "10.0.0.200"
		got := capture(as(t, moved), t, s.Locker, doc, nil)
		if got.Owner.Session != before.Owner.Session || got.Token != before.Token {
			t.Errorf("got %+v, want a refresh of %+v", got, before)
		}
	})
}
