package httpapi

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store/memory"
)

// A crowd of streams encodes as many events at a time as there are turns, and those who
// wait and capture meanwhile need none.
func TestStreams_OfACrowdLeaveTheServerToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := editlock.NewManager(memory.New(nil), nil)
		defer func() { _ = m.Close() }()
		h := New(m, &Options{Logger: slog.New(slog.DiscardHandler)})
		const streams, waiters = 200, 50
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		recs := make([]*httptest.ResponseRecorder, streams)
		for i := range recs {
			recs[i] = httptest.NewRecorder()
			all.Go(func() {
				h.ServeHTTP(&flushed{ResponseRecorder: recs[i]}, httptest.NewRequestWithContext(ctx, "GET", "/v1/events", nil))
			})
		}
		synctest.Wait()
		for range cap(h.turns) { // some streams that take long
			h.turns <- struct{}{}
		}
		call := func(ctx context.Context, path, body string) int {
			r := httptest.NewRequestWithContext(ctx, "POST", path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			return rec.Code
		}
		if code := call(t.Context(), "/v1/capture", `{"mutex":{"id":"1"},"owner":{"session":"a"}}`); code != 200 {
			t.Fatalf("a capture beside the crowd: %d", code)
		}
		for range waiters {
			all.Go(func() { call(ctx, "/v1/capture", `{"mutex":{"id":"1"},"owner":{"session":"b"},"wait":"1h"}`) })
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if code := call(t.Context(), "/v1/capture", `{"mutex":{"id":"2"},"owner":{"session":"c"}}`); code != 200 {
			t.Errorf("a capture beside those who wait, too: %d", code)
		}
		told := func() (n int) {
			synctest.Wait()
			for _, rec := range recs {
				if strings.Contains(rec.Body.String(), "event: captured") {
					n++
				}
			}
			return n
		}
		if n := told(); n != 0 {
			t.Errorf("%d streams encoded an event without a turn", n)
		}
		for range cap(h.turns) {
			<-h.turns
		}
		time.Sleep(time.Minute)
		if n := told(); n != streams {
			t.Errorf("%d of %d streams told of the capture in the end", n, streams)
		}
		leave()
		all.Wait()
	})
}
