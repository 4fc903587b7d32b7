package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

// TestRetries cuts the connection of every call: before the server acted, and
// after.
func TestRetries(t *testing.T) {
	kinds := func(t *testing.T, w *world) string {
		t.Helper()
		page, err := w.manager.History(t.Context(), editlock.HistoryQuery{ID: &doc})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := len(page.Entries) - 1; i >= 0; i-- {
			all = append(all, string(page.Entries[i].Kind))
		}
		return strings.Join(all, " ")
	}
	// queued makes petrova wait for what ivanov holds.
	queued := func(t *testing.T, w *world) editlock.Waiter {
		w.hold(t, ivanov)
		ctx, cancel := context.WithCancel(as(t, petrova))
		t.Cleanup(cancel)
		go func() { _, _ = w.manager.Capture(ctx, doc, &editlock.CaptureOptions{Wait: time.Hour}) }()
		return w.waiting(t, 1).Waiters[0]
	}
	type outcome struct {
		result  any
		history string
	}
	for _, test := range []struct {
		name        string
		do          func(t *testing.T, w *world) (any, error)
		want        outcome
		afterActing any // the result where the answer of the first try was lost, if it is another
	}{
		{"Capture", func(t *testing.T, w *world) (any, error) {
			m, err := w.Capture(as(t, ivanov), doc, nil)
			return m.Owner.Session, err
		}, outcome{"s-ivanov", "captured"}, nil},
		{"CaptureAll", func(t *testing.T, w *world) (any, error) {
			ms, err := w.CaptureAll(as(t, ivanov), []editlock.ID{{ID: "other"}, doc}, nil)
			return len(ms), err
		}, outcome{2, "captured"}, nil},
		{"Capture with a wait", func(t *testing.T, w *world) (any, error) {
			m, err := w.Capture(as(t, ivanov), doc, &editlock.CaptureOptions{Wait: time.Minute})
			return m.Owner.Session, err
		}, outcome{"s-ivanov", "captured"}, nil},
		{"Refresh", func(t *testing.T, w *world) (any, error) {
			m := w.hold(t, ivanov)
			res, err := w.Refresh(as(t, ivanov), []editlock.RefreshItem{{ID: doc, Token: m.Token}})
			return res[0].Mutex.Token == m.Token, err
		}, outcome{true, "captured"}, nil},
		{"Request", func(t *testing.T, w *world) (any, error) {
			state, _, err := w.Request(as(t, ivanov), doc)
			return state, err
		}, outcome{editlock.Free, ""}, nil},
		{"Release", func(t *testing.T, w *world) (any, error) {
			w.hold(t, ivanov)
			return w.Release(as(t, ivanov), doc, editlock.Condition{})
		}, outcome{true, "captured released"}, nil},
		{"ReleaseAll", func(t *testing.T, w *world) (any, error) {
			w.hold(t, ivanov)
			ids, err := w.ReleaseAll(as(t, ivanov), []editlock.ID{doc})
			return len(ids), err
		}, outcome{1, "captured released"}, nil},
		{"ReleaseSession", func(t *testing.T, w *world) (any, error) {
			w.hold(t, ivanov)
			ids, err := w.ReleaseSession(as(t, ivanov), ivanov.Session)
			return len(ids), err
		}, outcome{1, "captured released"}, 0},
		{"Takeover", func(t *testing.T, w *world) (any, error) {
			m, err := w.Takeover(as(t, petrova), doc, w.hold(t, ivanov).Token, "left early", nil)
			return m.Owner.Session, err
		}, outcome{"s-petrova", "captured taken_over"}, nil},
		{"ForceRelease", func(t *testing.T, w *world) (any, error) {
			return nil, w.ForceRelease(as(t, petrova), doc, w.hold(t, ivanov).Token, "left early")
		}, outcome{nil, "captured force_released"}, nil},
		{"HandOver", func(t *testing.T, w *world) (any, error) {
			queued(t, w)
			return w.HandOver(as(t, ivanov), doc)
		}, outcome{true, "captured waiting handed_over captured"}, nil},
		{"Decline", func(t *testing.T, w *world) (any, error) {
			return w.Decline(as(t, ivanov), doc, queued(t, w).ID, "Not now")
		}, outcome{true, "captured waiting declined"}, nil},
		{"List", func(t *testing.T, w *world) (any, error) {
			page, err := w.List(as(t, ivanov), editlock.Query{})
			return len(page.Mutexes), err
		}, outcome{0, ""}, nil},
		{"History", func(t *testing.T, w *world) (any, error) {
			page, err := w.History(as(t, ivanov), editlock.HistoryQuery{})
			return len(page.Entries), err
		}, outcome{0, ""}, nil},
	} {
		for _, cut := range []struct {
			name   string
			faults []fault
		}{
			{"not cut", nil},
			{"cut before", []fault{cutBefore}},
			{"cut before, and a gateway without server", []fault{cutBefore, gateway}},
			{"cut after", []fault{cutAfter}},
			{"cut after, and before again", []fault{cutAfter, cutBefore}},
		} {
			t.Run(test.name+"/"+cut.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.fail(cut.faults...)
				got, err := test.do(t, w)
				if err != nil {
					t.Fatal(err)
				}
				want := test.want
				if len(cut.faults) > 0 && cut.faults[0] == cutAfter && test.afterActing != nil {
					want.result = test.afterActing
				}
				if diff := cmp.Diff(want.result, got); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(want.history, kinds(t, w)); diff != "" {
					t.Errorf("history (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Between the lost answer of a call and its retry, a second job of the same
// owner captures. What it holds must stay, and the retry must not call it its
// own.
func TestRetries_LeaveTheHoldOfASecondJobAlone(t *testing.T) {
	for _, test := range []struct {
		name string
		held bool // when the call is made
		do   func(t *testing.T, w *world, seen editlock.Token) (did bool, err error)
		lost bool
		did  bool
	}{
		{"Capture", false, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			_, err := w.Capture(as(t, ivanov), doc, nil)
			return false, err
		}, true, false},
		{"CaptureAll", false, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			_, err := w.CaptureAll(as(t, ivanov), []editlock.ID{{ID: "other"}, doc}, nil)
			return false, err
		}, true, false},
		{"CaptureAll that refreshes", true, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			_, err := w.CaptureAll(as(t, ivanov), []editlock.ID{doc}, nil)
			return false, err
		}, true, false},
		{"Takeover", true, func(t *testing.T, w *world, seen editlock.Token) (bool, error) {
			_, err := w.Takeover(as(t, ivanov), doc, seen, "another tab", nil)
			return false, err
		}, true, false},
		{"Release", true, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			return w.Release(as(t, ivanov), doc, editlock.Condition{})
		}, false, true},
		{"Release of what is free", false, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			return w.Release(as(t, ivanov), doc, editlock.Condition{})
		}, false, false},
		{"ReleaseAfter", true, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			return w.ReleaseAfter(as(t, ivanov), doc, editlock.Condition{}, time.Minute)
		}, false, false},
		{"ReleaseAll", true, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			ids, err := w.ReleaseAll(as(t, ivanov), []editlock.ID{doc})
			return len(ids) == 1, err
		}, false, true},
		{"ReleaseSession", true, func(t *testing.T, w *world, _ editlock.Token) (bool, error) {
			ids, err := w.ReleaseSession(as(t, ivanov), ivanov.Session)
			return len(ids) == 1, err
		}, false, false}, // it tells only of what the retry released
		{"ForceRelease", true, func(t *testing.T, w *world, seen editlock.Token) (bool, error) {
			return true, w.ForceRelease(as(t, ivanov), doc, seen, "stuck")
		}, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{manager: editlock.NewManager(memory.New(nil), nil)}
				defer func() { _ = w.manager.Close() }()
				server := httpapi.New(w.manager, nil)
				var seen, second editlock.Mutex
				tries := 0
				w.Client = fakeClient(t, func(r *http.Request) (*http.Response, error) {
					answer := httptest.NewRecorder()
					server.ServeHTTP(answer, r)
					if tries++; tries > 1 {
						return answer.Result(), nil
					}
					time.Sleep(time.Second)
					_, _ = w.manager.Release(as(t, ivanov), doc, editlock.Condition{})
					second = w.hold(t, ivanov)
					return nil, errors.New("connection reset")
				})
				if test.held {
					seen = w.hold(t, ivanov)
				}
				time.Sleep(time.Second)
				did, err := test.do(t, w, seen.Token)
				if lost := errors.Is(err, editlock.ErrLost); did != test.did || lost != test.lost || err != nil && !lost {
					t.Errorf("the retry: %v, %v; want %v, lost: %v", did, err, test.did, test.lost)
				}
				_, m, err := w.manager.Request(as(t, ivanov), doc)
				if err != nil || m.Token != second.Token || !m.RefreshedAt.Equal(second.RefreshedAt) {
					t.Errorf("in force is %+v, %v; the second job got %+v", m, err, second)
				}
			})
		})
	}
}

func TestRefusals_AreNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.hold(t, ivanov)
	w.fail()
	_, busy := w.Capture(as(t, petrova), doc, nil)
	_, invalid := w.Capture(as(t, petrova), editlock.ID{}, nil)
	if !errors.Is(busy, editlock.ErrBusy) || !errors.Is(invalid, editlock.ErrInvalid) || w.sent != 2 {
		t.Errorf("%v and %v took %d requests", busy, invalid, w.sent)
	}
}

func TestWait_OutlivesItsServer(t *testing.T) {
	w := newWorld(t)
	held := w.hold(t, ivanov)
	type result struct {
		m   editlock.Mutex
		err error
	}
	results := make(chan result, 1)
	go func() {
		m, err := w.Capture(as(t, petrova), doc, &editlock.CaptureOptions{Wait: time.Minute})
		results <- result{m, err}
	}()
	before := w.waiting(t, 1).Waiters[0]
	// Somebody comes later, and must stay behind.
	late, cancel := context.WithCancel(as(t, editlock.Owner{Session: "s-late"}))
	defer cancel()
	go func() { _, _ = w.manager.Capture(late, doc, &editlock.CaptureOptions{Wait: time.Minute}) }()
	w.waiting(t, 2)

	w.restart()
	w.fail() // counts the requests to the new server
	eventually(t, "the waiter to come back", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.sent > 0
	})
	if after := w.waiting(t, 2).Waiters[0]; after.ID != before.ID || !after.Since.Equal(before.Since) {
		t.Errorf("first in the queue is %+v, was %+v", after, before)
	}
	if _, err := w.manager.Release(as(t, ivanov), doc, editlock.IfToken(held.Token)); err != nil {
		t.Fatal(err)
	}
	if got := <-results; got.err != nil || got.m.Owner.Session != "s-petrova" {
		t.Errorf("got %+v, %v", got.m, got.err)
	}
}

func TestWait_LeavesTheQueueWithItsContext(t *testing.T) {
	w := newWorld(t)
	w.hold(t, ivanov)
	ctx, cancel := context.WithCancel(as(t, petrova))
	ended := make(chan error, 1)
	go func() {
		_, err := w.Capture(ctx, doc, &editlock.CaptureOptions{Wait: time.Hour})
		ended <- err
	}()
	w.waiting(t, 1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Capture: %v", err)
	}
	w.waiting(t, 0)
}

// fake is a transport without a network, for time that a test makes.
type fake func(r *http.Request) (*http.Response, error)

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

const unavailableProblem = `{"code":"unavailable","status":503,"title":"x","detail":"the server is stopping"}`

func fakeClient(t *testing.T, f fake) *client.Client {
	t.Helper()
	c, err := client.New("http://server", &client.Options{HTTPClient: &http.Client{Transport: f}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRetries_AreBounded(t *testing.T) {
	for _, test := range []struct {
		name            string
		answer          fake
		atLeast, atMost time.Duration
	}{
		{"of no server", func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }, 2 * time.Second, 10 * time.Second},
		{"of a gateway", func(*http.Request) (*http.Response, error) { return respond(504, "text/html", "<html>"), nil }, 2 * time.Second, 10 * time.Second},
		{"of a server that stops", func(*http.Request) (*http.Response, error) {
			res := respond(503, "application/problem+json", unavailableProblem)
			res.Header.Set("Retry-After", "1")
			return res, nil
		}, 10 * time.Second, 20 * time.Second},
		{"of a server that asks for an hour", func(*http.Request) (*http.Response, error) {
			res := respond(503, "application/problem+json", unavailableProblem)
			res.Header.Set("Retry-After", "3600")
			return res, nil
		}, 16 * time.Second, 30 * time.Second},
		{"of answers cut short", func(*http.Request) (*http.Response, error) {
			res := respond(200, "application/json", "")
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"state"`), cutReader{}))
			return res, nil
		}, 2 * time.Second, 10 * time.Second},
		{"of a server that does not answer", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 4 * time.Minute, 6 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				c := fakeClient(t, func(r *http.Request) (*http.Response, error) { tries++; return test.answer(r) })
				began := time.Now()
				_, _, err := c.Request(t.Context(), doc)
				if took := time.Since(began); took < test.atLeast || took > test.atMost {
					t.Errorf("took %v, want %v to %v", took, test.atLeast, test.atMost)
				}
				if !errors.Is(err, editlock.ErrUnavailable) || tries != 9 {
					t.Errorf("%v after %d tries", err, tries)
				}
			})
		})
	}
}

type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRetries_EndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fakeClient(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := c.Request(ctx, doc)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestRetries_KeepTheKeyAndTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys, waits []string
		c := fakeClient(t, func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			_, wait, _ := strings.Cut(string(body), `"wait":"`)
			wait, _, _ = strings.Cut(wait, `"`)
			keys, waits = append(keys, r.Header.Get("Idempotency-Key")), append(waits, wait)
			time.Sleep(4 * time.Second)
			return nil, errors.New("connection reset")
		})
		_, err := c.Capture(t.Context(), doc, &editlock.CaptureOptions{Wait: 10 * time.Second})
		if !errors.Is(err, editlock.ErrUnavailable) {
			t.Fatal(err)
		}
		last := time.Hour
		for i, text := range waits {
			wait, err := time.ParseDuration(text)
			if err != nil || wait > last || keys[i] != keys[0] || len(keys[i]) != 36 {
				t.Errorf("try %d: wait %q, key %q", i, text, keys[i])
			}
			last = wait
		}
		if waits[0] != "10s" || last != time.Millisecond {
			t.Errorf("waits are %v", waits)
		}
	})
	t.Run("which sorts by time and differs from call to call", func(t *testing.T) {
		var keys []string
		c := fakeClient(t, func(r *http.Request) (*http.Response, error) {
			keys = append(keys, r.Header.Get("Idempotency-Key"))
			return respond(400, "application/problem+json", `{"code":"invalid","field":"x","detail":"x y"}`), nil
		})
		for range 100 {
			_, _ = c.Capture(t.Context(), doc, nil)
		}
		for i := 1; i < len(keys); i++ {
			if keys[i] <= keys[i-1] {
				t.Fatalf("%s comes after %s", keys[i], keys[i-1])
			}
		}
	})
	t.Run("which is the caller's own if they give one", func(t *testing.T) {
		c := fakeClient(t, func(r *http.Request) (*http.Response, error) {
			if got := r.Header.Get("Idempotency-Key"); got != "mine" {
				t.Errorf("key is %q", got)
			}
			return respond(400, "application/problem+json", `{"code":"invalid","field":"x","detail":"x y"}`), nil
		})
		_, _ = c.Capture(t.Context(), doc, &editlock.CaptureOptions{RequestID: "mine"})
		_, _ = c.CaptureAll(t.Context(), []editlock.ID{doc}, &editlock.CaptureOptions{RequestID: "mine"})
		_, _ = c.Takeover(t.Context(), doc, 7, "x", &editlock.CaptureOptions{RequestID: "mine"})
	})
}
