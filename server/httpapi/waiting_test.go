package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// desk is a server on a store, without a network, in time that a test makes.
type desk struct {
	t       *testing.T
	store   store.Store
	manager *editlock.Manager
	handler *httpapi.Handler
}

// unclosed is a store that several Managers have.
type unclosed struct{ store.Store }

func (unclosed) Close() error { return nil }

func newDesk(t *testing.T, st store.Store) *desk {
	t.Helper()
	m := editlock.NewManager(unclosed{st}, nil)
	t.Cleanup(func() { _ = m.Close() })
	return &desk{t, st, m, httpapi.New(m, &httpapi.Options{Logger: slog.New(slog.DiscardHandler)})}
}

// waiter asks for the mutex "doc", and how.
type waiter struct {
	ctx     context.Context
	session string
	key     string // Idempotency-Key
	prefer  string
	deaf    bool // takes no answer
}

const comesBack = "respond-async, wait=25"

// outcome is the answer to a waiter, once there is one.
type outcome chan *wire.CaptureAnswer

type deafRecorder struct{ *httptest.ResponseRecorder }

func (deafRecorder) FlushError() error { return errors.New("connection reset by peer") }

func (d *desk) wait(w waiter) outcome {
	body := fmt.Sprintf(`{"mutex":{"id":"doc"},"owner":{"session":%q},"auto_release":{"idle":"60s"},"wait":"1h"}`, w.session)
	if w.ctx == nil {
		w.ctx = d.t.Context()
	}
	r := httptest.NewRequestWithContext(w.ctx, "POST", "/v1/capture", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if w.key != "" {
		r.Header.Set("Idempotency-Key", w.key)
	}
	if w.prefer != "" {
		r.Header.Set("Prefer", w.prefer)
	}
	got := make(outcome, 1)
	go func() {
		rec := httptest.NewRecorder()
		if w.deaf {
			d.handler.ServeHTTP(deafRecorder{rec}, r)
		} else {
			d.handler.ServeHTTP(rec, r)
		}
		out := new(wire.CaptureAnswer)
		_ = json.Unmarshal(rec.Body.Bytes(), out)
		if want := map[string]int{"CAPTURED_BY_ME": 200, "WAITING": 202}[out.State]; want != 0 && rec.Code != want {
			d.t.Errorf("the state %s is answered with status %d", out.State, rec.Code)
		}
		got <- out
	}()
	synctest.Wait()
	return got
}

// hold captures the mutex, and returns what releases it.
func (d *desk) hold(session string) (release func()) {
	d.t.Helper()
	ctx, id := editlock.WithOwner(d.t.Context(), editlock.Owner{Session: session}), editlock.ID{ID: "doc"}
	if _, err := d.manager.Capture(ctx, id, nil); err != nil {
		d.t.Fatal(err)
	}
	return func() {
		d.t.Helper()
		if released, err := d.manager.Release(ctx, id, editlock.Condition{}); err != nil || !released {
			d.t.Fatalf("released: %v, %v", released, err)
		}
		synctest.Wait()
	}
}

// stands tells who holds the mutex and who waits, in their order.
func (d *desk) stands(want string) {
	d.t.Helper()
	_, m, err := d.manager.Request(d.t.Context(), editlock.ID{ID: "doc"})
	if err != nil {
		d.t.Fatal(err)
	}
	got := m.Owner.Session
	for _, w := range m.Waiters {
		got += " " + w.Owner.Session
	}
	if got != want {
		d.t.Errorf("holder and queue are %q, want %q", got, want)
	}
}

// state is what a waiter was answered; empty if it still waits for that.
func (a outcome) state() string {
	select {
	case out := <-a:
		a <- out
		return out.State
	default:
		return ""
	}
}

func TestWait_APlaceOutlivesItsRequest(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(d *desk)
	}{
		{"answered that it waits on, a caller keeps its place and comes back to it", func(d *desk) {
			release := d.hold("holder")
			first := d.wait(waiter{session: "first", key: "k", prefer: comesBack})
			d.wait(waiter{session: "second"})
			time.Sleep(24 * time.Second)
			if got := first.state(); got != "" {
				d.t.Fatalf("answered %s before its time", got)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			out := <-first
			if out.State != "WAITING" || out.Place != 1 || out.Kept != wire.Duration(10*time.Second) || out.Mutex == nil || out.Mutex.Owner.Session != "holder" {
				d.t.Errorf("answered %+v", out)
			}
			time.Sleep(9 * time.Second)
			first = d.wait(waiter{session: "first", key: "k", prefer: comesBack})
			d.stands("holder first second")
			time.Sleep(20 * time.Second)
			release()
			if got := first.state(); got != "CAPTURED_BY_ME" {
				d.t.Errorf("then answered %q", got)
			}
		}},
		{"who does not come back loses it", func(d *desk) {
			d.hold("holder")
			d.wait(waiter{session: "first", key: "k", prefer: comesBack})
			d.wait(waiter{session: "second"})
			time.Sleep(36 * time.Second)
			synctest.Wait()
			d.stands("holder second")
		}},
		{"a cut connection keeps it", func(d *desk) {
			d.hold("holder")
			ctx, cut := context.WithCancel(d.t.Context())
			d.wait(waiter{ctx: ctx, session: "first", key: "k"})
			d.wait(waiter{session: "second"})
			cut()
			time.Sleep(9 * time.Second)
			d.wait(waiter{session: "first", key: "k"})
			d.stands("holder first second")
			time.Sleep(20 * time.Second)
			synctest.Wait()
			d.stands("holder first second")
		}},
		{"a cut connection without a key leaves at once", func(d *desk) {
			d.hold("holder")
			ctx, cut := context.WithCancel(d.t.Context())
			d.wait(waiter{ctx: ctx, session: "first"})
			cut()
			synctest.Wait()
			d.stands("holder")
		}},
		{"what was granted meanwhile is had when asked for", func(d *desk) {
			release := d.hold("holder")
			ctx, cut := context.WithCancel(d.t.Context())
			d.wait(waiter{ctx: ctx, session: "first", key: "k", prefer: comesBack})
			cut()
			synctest.Wait()
			release()
			time.Sleep(9 * time.Second)
			out := <-d.wait(waiter{session: "first", key: "k", prefer: comesBack})
			if out.State != "CAPTURED_BY_ME" || *out.Mutex.ExpiresIn > 6 {
				d.t.Errorf("answered %+v", out)
			}
		}},
		{"another server has it, too, and keeps it", func(d *desk) {
			d.hold("holder")
			ctx, cut := context.WithCancel(d.t.Context())
			other := newDesk(d.t, d.store)
			other.wait(waiter{ctx: ctx, session: "first", key: "k", prefer: comesBack})
			d.wait(waiter{session: "second"})
			cut()
			synctest.Wait()
			d.wait(waiter{session: "first", key: "k"})
			time.Sleep(20 * time.Second)
			synctest.Wait()
			d.stands("holder first second")
		}},
		{"withdrawn, it is gone at once", func(d *desk) {
			release := d.hold("holder")
			first := d.wait(waiter{session: "first", key: "k", prefer: comesBack})
			first1 := editlock.WithOwner(d.t.Context(), editlock.Owner{Session: "first"})
			if left, err := d.manager.Release(first1, editlock.ID{ID: "doc"}, editlock.IfRequest("k")); !left || err != nil {
				d.t.Errorf("left: %v, %v", left, err)
			}
			synctest.Wait()
			if out := <-first; out.State != "" {
				d.t.Errorf("the wait was answered %+v", out)
			}
			d.stands("holder")
			d.wait(waiter{session: "first", key: "k2", prefer: comesBack})
			release()
			d.stands("first")
			if left, err := d.manager.Release(first1, editlock.ID{ID: "doc"}, editlock.IfRequest("k2")); !left || err != nil {
				d.t.Errorf("given back: %v, %v", left, err)
			}
			d.stands("")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(newDesk(t, memory.New(nil))) })
		})
	}
}

func TestGrant_IsConfirmedForWhoTookTheAnswer(t *testing.T) {
	for _, test := range []struct {
		name   string
		first  waiter
		next16 string // who holds it 16 s later
	}{
		{"a caller who comes back confirms by itself, or is passed over", waiter{session: "first", key: "k", prefer: comesBack}, "second"},
		{"of another, whose connection took the answer", waiter{session: "first", key: "k"}, "first"},
		{"without a key there is no coming back", waiter{session: "first", prefer: comesBack}, "first"},
		{"of another, whose connection did not take it", waiter{session: "first", key: "k", deaf: true}, "second"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, memory.New(nil))
				release := d.hold("holder")
				d.wait(test.first)
				d.wait(waiter{session: "second"})
				release()
				time.Sleep(16 * time.Second)
				synctest.Wait()
				if _, m, err := d.manager.Request(t.Context(), editlock.ID{ID: "doc"}); err != nil || m.Owner.Session != test.next16 {
					t.Errorf("16 s later %q holds it, %v; want %q", m.Owner.Session, err, test.next16)
				}
			})
		})
	}
}
