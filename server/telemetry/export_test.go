package telemetry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/telemetry"
	"github.com/editlock/editlock/store/memory"
)

// collector is an OTLP receiver that notes what was sent to which path.
type collector struct {
	mu    sync.Mutex
	paths map[string]int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths[r.URL.Path]++
	w.WriteHeader(http.StatusOK)
}

func TestNew_ExportsWhatTheEnvironmentAsksFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string
		err  string
	}{
		{"nothing by itself", nil, "", ""},
		{"both signals to an endpoint", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "URL"}, "/v1/metrics /v1/traces", ""},
		{"one signal to its endpoint", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "URL/v1/traces"}, "/v1/traces", ""},
		{"not a signal that is off", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_TRACES_EXPORTER": "none"}, "/v1/metrics", ""},
		{"nothing when all is off", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_SDK_DISABLED": "true"}, "", ""},
		{
			"by no other exporter",
			map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_TRACES_EXPORTER": "zipkin"},
			"", "OTEL_TRACES_EXPORTER must be otlp or none",
		},
		{
			"by no other protocol",
			map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			"", "must be http/protobuf",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &collector{paths: make(map[string]int)}
			srv := httptest.NewServer(c)
			defer srv.Close()
			for name, value := range tt.env {
				t.Setenv(name, strings.ReplaceAll(value, "URL", srv.URL))
			}
			tel, err := telemetry.New(t.Context(), nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v; want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			locks := tel.Locker(editlock.NewManager(tel.Store(memory.New(nil)), nil))
			if _, err := locks.Capture(as(t, "ann"), doc, nil); err != nil {
				t.Fatal(err)
			}
			_ = locks.Close()
			if err := tel.Shutdown(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
			var got []string
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, path := range []string{"/v1/metrics", "/v1/traces"} {
				if c.paths[path] > 0 {
					got = append(got, path)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("sent to %q; want %q", got, tt.want)
			}
		})
	}
}
