package locktest

import (
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// testAutoRelease checks when mutexes are freed by themselves.
func testAutoRelease(t *testing.T, h Harness) {
	for _, tt := range []struct {
		name    string
		auto    editlock.AutoRelease
		stands  editlock.AutoRelease
		expires time.Duration // after the capture; 0: never
	}{
		{"not said: 300 s idle", editlock.AutoRelease{}, editlock.AutoRelease{Idle: 300 * time.Second}, 300 * time.Second},
		{"idle", editlock.TimeoutAutoRelease(time.Minute), editlock.AutoRelease{Idle: time.Minute}, time.Minute},
		{"max hold alone: idle is the default", editlock.AutoRelease{MaxHold: time.Hour}, editlock.AutoRelease{Idle: 300 * time.Second, MaxHold: time.Hour}, 300 * time.Second},
		{"max hold first", editlock.AutoRelease{Idle: time.Hour, MaxHold: time.Minute}, editlock.AutoRelease{Idle: time.Hour, MaxHold: time.Minute}, time.Minute},
		{"the shortest", editlock.AutoRelease{Idle: time.Second, MaxHold: time.Second}, editlock.AutoRelease{Idle: time.Second, MaxHold: time.Second}, time.Second},
		{"the longest", editlock.AutoRelease{Idle: 720 * time.Hour, MaxHold: 720 * time.Hour}, editlock.AutoRelease{Idle: 720 * time.Hour, MaxHold: 720 * time.Hour}, 720 * time.Hour},
		{"never", editlock.Never, editlock.Never, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := h.Open(t)
			m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: tt.auto})
			if m.AutoRelease != tt.stands {
				t.Errorf("auto release is %+v, want %+v", m.AutoRelease, tt.stands)
			}
			if tt.expires == 0 {
				if !m.ExpiresAt.IsZero() || !m.AutoRelease.IsNever() {
					t.Errorf("expires at %v, want never", m.ExpiresAt)
				}
				s.pass(2 * editlock.MaxAutoRelease)
				wantStanding(t, s.Locker, m)
				return
			}
			if want := m.CapturedAt.Add(tt.expires); !m.ExpiresAt.Equal(want) {
				t.Errorf("expires at %v, want %v", m.ExpiresAt, want)
			}
			if s.Advance == nil && tt.expires > lease {
				return
			}
			if tt.expires > 2*time.Second {
				s.pass(tt.expires - 2*time.Second)
				wantStanding(t, s.Locker, m)
			}
			s.lapse(t, m)
			wantFree(t, s.Locker, doc)
		})
	}

	t.Run("a refresh moves the end by idle, but not beyond max hold", func(t *testing.T) {
		s := h.Open(t)
		if s.Advance == nil {
			return // takes longer than a lease
		}
		m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{
			AutoRelease: editlock.AutoRelease{Idle: time.Minute, MaxHold: 150 * time.Second},
		})
		for i, want := range []bool{true, true, true, false} {
			s.Advance(45 * time.Second)
			_, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token})
			if (err == nil) != want {
				t.Fatalf("refresh %d, %v after the capture: error %v, want success %v", i, 45*time.Duration(i+1)*time.Second, err, want)
			}
			if end := m.CapturedAt.Add(150 * time.Second); err == nil && standing(t, s.Locker, doc).ExpiresAt.After(end) {
				t.Errorf("expires at %v, beyond max hold at %v", standing(t, s.Locker, doc).ExpiresAt, end)
			}
		}
		wantFree(t, s.Locker, doc)
	})
	t.Run("a max hold that is over already ends it", func(t *testing.T) {
		s := h.Open(t)
		if s.Advance == nil {
			return // takes longer than a lease
		}
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Hour)})
		s.Advance(2 * time.Minute)
		_, err := s.Locker.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{MaxHold: time.Minute}})
		wantLost(t, err, nil)
		wantFree(t, s.Locker, doc)
	})
	t.Run("refreshed in time it outlives any number of idle times", func(t *testing.T) {
		s := h.Open(t)
		if s.Advance == nil {
			return // takes longer than a lease
		}
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		for range 20 {
			s.Advance(4 * time.Minute)
			if _, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token}); err != nil {
				t.Fatalf("lost: %v", err)
			}
		}
	})

	for _, tt := range []struct {
		name string
		give editlock.AutoRelease
		want editlock.AutoRelease
	}{
		{"never stays never if a refresh gives nothing", editlock.AutoRelease{}, editlock.Never},
		{"never stays never if a refresh says so", editlock.Never, editlock.Never},
		{"never ends if a refresh gives an idle", editlock.TimeoutAutoRelease(time.Minute), editlock.TimeoutAutoRelease(time.Minute)},
	} {
		for _, keepAlive := range []struct {
			name string
			do   func(t *testing.T, s System, m editlock.Mutex, a editlock.AutoRelease) editlock.Mutex
		}{
			{"by Refresh", func(t *testing.T, s System, m editlock.Mutex, a editlock.AutoRelease) editlock.Mutex {
				got, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token, AutoRelease: a})
				if err != nil {
					t.Fatalf("lost: %v", err)
				}
				return got
			}},
			{"by Capture", func(t *testing.T, s System, _ editlock.Mutex, a editlock.AutoRelease) editlock.Mutex {
				return capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: a})
			}},
		} {
			t.Run(tt.name+"/"+keepAlive.name, func(t *testing.T) {
				s := h.Open(t)
				m := capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.Never})
				s.pass(24 * time.Hour)
				got := keepAlive.do(t, s, m, tt.give)
				if got.AutoRelease != tt.want || got.Token != m.Token {
					t.Errorf("auto release is %+v with token %d, want %+v with %d", got.AutoRelease, got.Token, tt.want, m.Token)
				}
				if never := got.ExpiresAt.IsZero(); never != tt.want.IsNever() {
					t.Errorf("expires at %v with auto release %+v", got.ExpiresAt, got.AutoRelease)
				}
				wantStanding(t, s.Locker, got)
			})
		}
	}
	t.Run("an idle becomes never if a refresh says so", func(t *testing.T) {
		s := h.Open(t)
		m := capture(as(t, ivanov), t, s.Locker, doc, nil)
		got, err := refresh(as(t, ivanov), t, s.Locker, editlock.RefreshItem{ID: doc, Token: m.Token, AutoRelease: editlock.Never})
		if err != nil || !got.ExpiresAt.IsZero() || got.AutoRelease != editlock.Never {
			t.Errorf("got %+v, %v; want never", got, err)
		}
		s.pass(editlock.MaxAutoRelease)
		wantStanding(t, s.Locker, got)
	})
	t.Run("ExpiresIn is measured on the store's clock", func(t *testing.T) {
		s := h.Open(t)
		capture(as(t, ivanov), t, s.Locker, doc, &editlock.CaptureOptions{AutoRelease: editlock.TimeoutAutoRelease(time.Hour)})
		s.pass(20 * time.Minute)
		m := standing(t, s.Locker, doc)
		in, ok := m.ExpiresIn()
		if !ok || in != m.ExpiresAt.Sub(m.AsOf) || in > time.Hour {
			t.Errorf("ExpiresIn = %v, %v", in, ok)
		}
		if s.Advance != nil && in > 40*time.Minute {
			t.Errorf("expires in %v, 20 minutes after a capture for an hour", in)
		}
	})
}
