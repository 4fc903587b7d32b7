package httpapi_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// stalled is a store whose next step of one kind takes until it is let go. Like
// every engine it gives up once its caller's context ends.
type stalled struct {
	store.Store
	on   func(store.Op) bool // nil: Log stalls
	came chan struct{}
	let  chan struct{}
}

func (s *stalled) stall(ctx context.Context) error {
	select {
	case s.came <- struct{}{}:
	default:
		return nil // the one before stalls still
	}
	select {
	case <-s.let:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stalled) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	res, err := s.Store.Commit(ctx, req)
	if err == nil && s.on != nil && s.on(req.Ops[0]) {
		err = s.stall(ctx)
	}
	return res, err
}

func (s *stalled) Log(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
	if s.on == nil {
		if err := s.stall(ctx); err != nil {
			return store.LogPage{}, err
		}
	}
	return s.Store.Log(ctx, q)
}

func TestDrain_AnswersWhatIsUnderWayInTheStore(t *testing.T) {
	const waits = `{"mutex":{"id":"doc"},"owner":{"session":"petrova"},"wait":"1h"}`
	held := editlock.Owner{Session: "ivanov"}
	captures := func(sw store.Op) bool { return sw.Do == store.Acquire && sw.Holder.Session == "petrova" }
	joins := func(sw store.Op) bool { return sw.Do == store.Join }
	for _, test := range []struct {
		name         string
		holder       bool
		on           func(store.Op) bool
		method, path string
		body         string
		want         int
	}{
		{"a capture of a free mutex with a wait: it is captured", false, captures, "POST", "/v1/capture", waits, 200},
		{"a capture of a held mutex with a wait", true, captures, "POST", "/v1/capture", waits, 503},
		{"the joining of a queue", true, joins, "POST", "/v1/capture", waits, 503},
		{"the beginning of a stream of events", false, nil, "GET", "/v1/events", "", 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := &stalled{Store: memory.New(nil), on: test.on, came: make(chan struct{}, 1), let: make(chan struct{})}
			m := editlock.NewManager(st, nil)
			t.Cleanup(func() { _ = m.Close() })
			h := httpapi.New(m, &httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
			doc := editlock.ID{ID: "doc"}
			if test.holder {
				if _, err := m.Capture(editlock.WithOwner(t.Context(), held), doc, nil); err != nil {
					t.Fatal(err)
				}
			}
			answered := make(chan *httptest.ResponseRecorder, 1)
			go func() {
				w := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(t.Context(), test.method, test.path, strings.NewReader(test.body))
				if test.body != "" {
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("Idempotency-Key", "k")
				}
				h.ServeHTTP(w, r)
				answered <- w
			}()
			<-st.came
			h.Drain()
			var w *httptest.ResponseRecorder
			select { // a step that is cancelled answers at once
			case w = <-answered:
			case <-time.After(50 * time.Millisecond):
				close(st.let)
				w = <-answered
			}
			got := reply{w.Code, w.Header(), w.Body.String()}
			if got.status != test.want {
				t.Fatalf("answered with %d %s, want %d", got.status, got.body, test.want)
			}
			if test.want == 503 {
				got.want(t, wire.Unavailable, "")
				if got.header.Get("Retry-After") == "" {
					t.Error("without Retry-After")
				}
				return
			}
			if state, _, err := m.Request(editlock.WithOwner(t.Context(), editlock.Owner{Session: "petrova"}), doc); state != editlock.CapturedByMe || err != nil {
				t.Errorf("then the mutex is %v, %v", state, err)
			}
		})
	}
}
