package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
)

const captureBody = `{"mutex":{"group":"demo","mode":"document","id":"4711"},"owner":{"session":"s-1234567890","user_id":"17","login":"ivanov","name":"Иванов И. И.","host":"10.0.0.17"},"status_data":"req-1","auto_release":{"idle":"300s"}}`

// instant is a Locker that captures at no cost.
type instant struct{ editlock.Locker }

func (instant) Capture(ctx context.Context, id editlock.ID, _ *editlock.CaptureOptions) (editlock.Mutex, error) {
	return editlock.Mutex{
		ID: id, Owner: editlock.OwnerFrom(ctx), StatusData: "req-1", Token: 4711, CapturedAt: moment, RefreshedAt: moment,
		ExpiresAt: moment.Add(editlock.DefaultIdle), AsOf: moment, AutoRelease: editlock.TimeoutAutoRelease(editlock.DefaultIdle),
	}, nil
}

// BenchmarkReading is what one capture costs in handlers, without a network
// and a store: in this package, in huma's own pipeline with validation by the
// same types, in huma's with a raw body, and in a bare handler that decodes
// and encodes a body of the same size with encoding/json.
func BenchmarkReading(b *testing.B) {
	humaTyped, humaRaw := http.NewServeMux(), http.NewServeMux()
	type typedIn struct{ Body wire.CaptureRequest }
	type typedOut struct{ Body wire.CaptureAnswer }
	answer := func(ctx context.Context) wire.CaptureAnswer {
		m, _ := instant{}.Capture(ctx, editlock.ID{Group: "demo", Mode: "document", ID: "4711"}, nil)
		form := wire.FromMutex(m)
		return wire.CaptureAnswer{State: "CAPTURED_BY_ME", Mutex: &form}
	}
	huma.Register(humago.New(humaTyped, huma.DefaultConfig("t", "1")), huma.Operation{Method: "POST", Path: "/v1/capture", OperationID: "capture"},
		func(ctx context.Context, in *typedIn) (*typedOut, error) { return &typedOut{answer(ctx)}, nil })
	type rawIn struct{ RawBody []byte }
	huma.Register(humago.New(humaRaw, huma.DefaultConfig("t", "1")), huma.Operation{Method: "POST", Path: "/v1/capture", OperationID: "capture"},
		func(ctx context.Context, in *rawIn) (*typedOut, error) {
			var body wire.CaptureRequest
			if err := json.Unmarshal(in.RawBody, &body); err != nil {
				return nil, err
			}
			return &typedOut{answer(ctx)}, nil
		})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body wire.CaptureRequest
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer(r.Context()))
	})
	for _, way := range []struct {
		name string
		h    http.Handler
	}{{"httpapi", httpapi.New(instant{}, nil)}, {"bare", bare}, {"huma-typed", humaTyped}, {"huma-raw", humaRaw}} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &sink{header: http.Header{}}
			body := bytes.NewReader(nil)
			for b.Loop() {
				body.Reset([]byte(captureBody))
				r := &http.Request{
					Method: "POST", URL: captureURL, Body: io.NopCloser(body), ContentLength: int64(len(captureBody)),
					Header: http.Header{"Content-Type": {"application/json"}},
				}
				clear(w.header)
				way.h.ServeHTTP(w, r)
				if w.status >= 300 {
					b.Fatal(w.status)
				}
			}
		})
	}
}

var captureURL = httptest.NewRequest("POST", "/v1/capture", nil).URL

// sink takes an answer and keeps only its status.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
