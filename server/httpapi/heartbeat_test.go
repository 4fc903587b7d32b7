package httpapi_test

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
)

// quiet is a Locker in which nothing ever happens.
type quiet struct{ editlock.Locker }

func (quiet) History(context.Context, editlock.HistoryQuery) (editlock.HistoryPage, error) {
	return editlock.HistoryPage{}, nil
}

func (quiet) Watch(ctx context.Context, _ editlock.WatchQuery) iter.Seq2[editlock.Event, error] {
	return func(func(editlock.Event, error) bool) { <-ctx.Done() }
}

// tape keeps what is written while others look.
type tape struct {
	httptest.ResponseRecorder
	mu   sync.Mutex
	text strings.Builder
}

func (w *tape) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *tape) beats() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.text.String(), ":\n\n")
}

func TestEvents_ShowThatTheyLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		w := new(tape)
		var serving sync.WaitGroup
		serving.Go(func() {
			httpapi.New(quiet{}, nil).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil))
		})
		for want := range 3 {
			time.Sleep(time.Second)
			synctest.Wait()
			if got := w.beats(); got != want {
				t.Errorf("%d heartbeats after %d s, want %d", got, 15*want+1, want)
			}
			time.Sleep(14 * time.Second)
		}
		leave()
		serving.Wait()
		before := w.beats()
		time.Sleep(time.Hour)
		if got := w.beats(); got != before {
			t.Errorf("%d heartbeats after the stream ended", got-before)
		}
	})
}
