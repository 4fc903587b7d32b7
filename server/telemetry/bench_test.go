package telemetry_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/server/telemetry"
	"github.com/editlock/editlock/store/memory"
)

// BenchmarkPair is a capture and a release on the memory store: by calls, and
// by HTTP over the loopback, without telemetry, with metrics, and with traces
// that nobody collects as well.
func BenchmarkPair(b *testing.B) {
	for _, with := range []string{"nothing", "metrics", "traces"} {
		open := func(b *testing.B) (editlock.Locker, *telemetry.Telemetry) {
			st := memory.New(nil)
			if with == "nothing" {
				return editlock.NewManager(st, nil), nil
			}
			o := &telemetry.Options{}
			if with == "traces" {
				o.Spans = discard{}
			}
			tel, err := telemetry.New(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			return tel.Locker(editlock.NewManager(tel.Store(st), nil)), tel
		}
		b.Run("calls/"+with, func(b *testing.B) {
			locks, _ := open(b)
			defer func() { _ = locks.Close() }()
			ctx := as(b, "ann")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := locks.Capture(ctx, doc, nil); err != nil {
					b.Fatal(err)
				}
				if _, err := locks.Release(ctx, doc, editlock.Condition{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("http/"+with, func(b *testing.B) {
			locks, tel := open(b)
			defer func() { _ = locks.Close() }()
			var h http.Handler = httpapi.New(locks, nil)
			if tel != nil {
				h = tel.Trace(h)
			}
			srv := httptest.NewServer(h)
			defer srv.Close()
			const body = `{"mutex":{"mode":"document","id":"4711"},"owner":{"session":"ann"}}`
			post := func(path string) {
				r, err := srv.Client().Post(srv.URL+path, "application/json", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, r.Body) // so that the connection is used again
				_ = r.Body.Close()
				if r.StatusCode != http.StatusOK {
					b.Fatal(path, r.Status)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				post("/v1/capture")
				post("/v1/release")
			}
		})
	}
}

// discard is a span processor that takes spans and does nothing.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }
