package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/locktest"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/telemetry"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// clock is a store's clock that tests put forward.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// system is a watched Locker on a watched store in memory.
type system struct {
	*telemetry.Telemetry
	locks editlock.Locker
	clock *clock
}

func newSystem(t testing.TB, o *telemetry.Options) system {
	t.Helper()
	tel, err := telemetry.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	locks := tel.Locker(editlock.NewManager(tel.Store(memory.New(&memory.Options{Now: c.Now})), nil))
	t.Cleanup(func() {
		if err := errors.Join(locks.Close(), tel.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return system{tel, locks, c}
}

// scrape reads the metrics as Prometheus does.
func (s system) scrape(t testing.TB) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// count is the value of a counter or gauge, or the count of a histogram, with
// these labels and no others: "a=b,c=d", sorted.
func (s system) count(t testing.TB, name, labels string) float64 {
	t.Helper()
	for _, m := range s.scrape(t)[name].GetMetric() {
		var pairs []string
		for _, l := range m.GetLabel() {
			pairs = append(pairs, l.GetName()+"="+l.GetValue())
		}
		if strings.Join(pairs, ",") == labels {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return 0
}

func (s system) want(t testing.TB, want float64, name, labels string) {
	t.Helper()
	if got := s.count(t, name, labels); got != want {
		t.Errorf("%s{%s} is %v; want %v", name, labels, got, want)
	}
}

// await waits until a value is reached that something in the background counts.
func (s system) await(t testing.TB, want float64, name, labels string) {
	t.Helper()
	eventually(t, func() bool { return s.count(t, name, labels) == want }, name+"{"+labels+"}")
}

func eventually(t testing.TB, done func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come", what)
		}
	}
}

func as(t testing.TB, session string) context.Context {
	return editlock.WithOwner(t.Context(), editlock.Owner{Session: session, UserID: "user-" + session})
}

var doc = editlock.ID{Mode: "document", ID: "secret-4711"}

func TestLocker_CountsWhatPeopleMeet(t *testing.T) {
	s := newSystem(t, nil)
	held, err := s.locks.Capture(as(t, "ann"), doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.forward(time.Second)
	_, _ = s.locks.Capture(as(t, "ann"), doc, nil)
	_, _ = s.locks.Capture(as(t, "bob"), doc, nil)
	_, _ = s.locks.Capture(as(t, "bob"), editlock.ID{}, nil)
	if _, err := s.locks.Takeover(as(t, "bob"), doc, held.Token, "urgent", nil); err != nil {
		t.Fatal(err)
	}
	_, _ = s.locks.Refresh(as(t, "ann"), []editlock.RefreshItem{{ID: doc, Token: held.Token}})
	_, _ = s.locks.Release(as(t, "bob"), doc, editlock.Condition{})
	_, _, _ = s.locks.Request(as(t, "ann"), doc)

	s.want(t, 1, "editlock_captures_total", "how=new,kind=person")
	s.want(t, 1, "editlock_captures_total", "how=refreshed,kind=person")
	s.want(t, 2, "editlock_call_duration_seconds", "call=capture,outcome=ok")
	s.want(t, 1, "editlock_call_duration_seconds", "call=capture,outcome=busy")
	s.want(t, 1, "editlock_call_duration_seconds", "call=capture,outcome=invalid")
	s.want(t, 1, "editlock_call_duration_seconds", "call=takeover,outcome=ok")
	s.want(t, 1, "editlock_call_duration_seconds", "call=release,outcome=ok")
	s.want(t, 1, "editlock_call_duration_seconds", "call=request,outcome=ok")
	s.want(t, 1, "editlock_losses_total", "how=taken_over")

	t.Run("by the kinds of their owners", func(t *testing.T) {
		agent := editlock.WithOwner(t.Context(), editlock.Owner{Session: "helper", Kind: editlock.Agent})
		_, _ = s.locks.Capture(agent, editlock.ID{ID: "an agent's"}, nil)
		persons, err := s.locks.Capture(as(t, "ann"), editlock.ID{ID: "a person's"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.locks.Takeover(agent, persons.ID, persons.Token, "urgent", nil)
		s.want(t, 1, "editlock_captures_total", "how=new,kind=agent")
		s.want(t, 1, "editlock_call_duration_seconds", "call=takeover,outcome=held_by_person")
	})
	t.Run("without a name in any label", func(t *testing.T) {
		for name, family := range s.scrape(t) {
			for _, m := range family.GetMetric() {
				for _, l := range m.GetLabel() {
					if strings.Contains(l.GetValue(), "secret") || strings.Contains(l.GetValue(), "ann") {
						t.Errorf("%s has %s=%s", name, l.GetName(), l.GetValue())
					}
				}
			}
		}
	})
}

func TestLocker_CountsWaits(t *testing.T) {
	s := newSystem(t, nil)
	if _, err := s.locks.Capture(as(t, "ann"), doc, nil); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := s.locks.Capture(as(t, "bob"), doc, &editlock.CaptureOptions{Wait: time.Minute})
		got <- err
	}()
	s.await(t, 1, "editlock_waiting", "")
	s.await(t, 1, "editlock_queue_length", "")
	if _, err := s.locks.Release(as(t, "ann"), doc, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	s.want(t, 0, "editlock_waiting", "")
	s.want(t, 1, "editlock_wait_duration_seconds", "outcome=ok")
	s.want(t, 1, "editlock_call_duration_seconds", "call=capture,outcome=ok") // ann's: waits don't count as slow calls
}

func TestStore_TimesEachOperation(t *testing.T) {
	s := newSystem(t, nil)
	if _, err := s.locks.Capture(as(t, "ann"), doc, nil); err != nil {
		t.Fatal(err)
	}
	_, _, _ = s.locks.Request(as(t, "ann"), doc)
	_, _ = s.locks.List(as(t, "ann"), editlock.Query{})
	_, _ = s.locks.History(as(t, "ann"), editlock.HistoryQuery{})
	for _, operation := range []string{"swap", "get", "list", "log"} {
		if s.count(t, "editlock_store_duration_seconds", "operation="+operation+",outcome=ok") < 1 {
			t.Errorf("%s is not timed", operation)
		}
	}
	t.Run("and counts failures", func(t *testing.T) {
		st := s.Store(memory.New(nil))
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := st.Get(t.Context(), "a", "")
		if !errors.Is(err, store.ErrClosed) {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = st.KeepAlive(ended, "peer", time.Second)
		_, _ = st.Sweep(t.Context(), store.Retention{})
		s.want(t, 1, "editlock_store_duration_seconds", "operation=get,outcome=failed")
		s.want(t, 1, "editlock_store_duration_seconds", "operation=sweep,outcome=failed")
	})
}

func TestFollow_CountsExpiriesAndHowLongHoldsWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tel, err := telemetry.New(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := system{Telemetry: tel, locks: editlock.NewManager(memory.New(nil), nil)}
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		defer func() {
			stop()
			done.Wait()
			if err := s.locks.Close(); err != nil {
				t.Error(err)
			}
		}()
		before := editlock.ID{ID: "before"}
		if _, err := s.locks.Capture(as(t, "ann"), before, nil); err != nil {
			t.Fatal(err)
		}
		done.Go(func() { tel.Follow(ctx, s.locks) })
		time.Sleep(time.Second)
		held, err := s.locks.Capture(as(t, "ann"), doc, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if _, err := s.locks.Takeover(as(t, "bob"), doc, held.Token, "urgent", nil); err != nil {
			t.Fatal(err)
		}
		for i := range editlock.MaxPage { // more than a page
			many := editlock.ID{Mode: "many", ID: strconv.Itoa(i)}
			if _, err := s.locks.Capture(as(t, "ann"), many, nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		s.want(t, 1+editlock.MaxPage, "editlock_events_total", "kind=captured") // not the one before
		s.want(t, 1, "editlock_events_total", "kind=taken_over")
		s.want(t, 2+editlock.MaxPage, "editlock_events_total", "kind=expired")
		s.want(t, 1, "editlock_hold_duration_seconds", "end=taken_over")
		s.want(t, 1+editlock.MaxPage, "editlock_hold_duration_seconds", "end=expired")
		for _, m := range s.scrape(t)["editlock_hold_duration_seconds"].GetMetric() {
			if m.GetLabel()[0].GetValue() == "taken_over" && m.GetHistogram().GetSampleSum() != 10 {
				t.Errorf("the hold taken over was %v s long; want 10", m.GetHistogram().GetSampleSum())
			}
		}
	})
}

func TestTrace(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	s := newSystem(t, &telemetry.Options{Spans: spans})
	h := s.Trace(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := editlock.WithOwner(r.Context(), editlock.Owner{Session: "ann"})
		if _, err := s.locks.Capture(ctx, doc, nil); err != nil {
			t.Error(err)
		}
	}))
	r := httptest.NewRequest(http.MethodPost, "/v1/capture", nil)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(access.WithRequestID(r.Context(), "req-1")))
	byName := map[string]sdktrace.ReadOnlySpan{}
	for _, span := range spans.Ended() {
		byName[span.Name()] = span
	}
	call, step, outer := byName["editlock.capture"], byName["store.swap"], byName["HTTP POST"]
	if call == nil || step == nil || outer == nil {
		t.Fatalf("the spans are %v", byName)
	}
	if id := outer.SpanContext().TraceID().String(); id != "4bf92f3577b34da6a3ce929d0e0e4736" {
		t.Errorf("the trace is %s; want the caller's", id)
	}
	if step.Parent().SpanID() != call.SpanContext().SpanID() || call.Parent().SpanID() != outer.SpanContext().SpanID() {
		t.Error("the step is not within the call within the request")
	}
	for name, span := range byName {
		attrs := map[string]string{}
		for _, a := range span.Attributes() {
			attrs[string(a.Key)] = a.Value.String()
		}
		if span.SpanContext().TraceID() == outer.SpanContext().TraceID() && attrs["editlock.request_id"] != "req-1" {
			t.Errorf("%s has %v; want the request's ID", name, attrs)
		}
		if strings.Contains(strings.Join([]string{attrs["editlock.outcome"], span.Name()}, " "), "secret") {
			t.Errorf("%s names the mutex", name)
		}
	}
}

// TestLocker_BehavesAsWithoutTelemetry runs the suite of all Lockers, traces on.
func TestLocker_BehavesAsWithoutTelemetry(t *testing.T) {
	tel, err := telemetry.New(t.Context(), &telemetry.Options{Spans: tracetest.NewSpanRecorder()})
	if err != nil {
		t.Fatal(err)
	}
	locktest.Run(t, locktest.Harness{Open: func(t *testing.T) locktest.System {
		var clock locktest.Clock
		locks := tel.Locker(editlock.NewManager(tel.Store(memory.New(&memory.Options{Now: clock.Now})), nil))
		t.Cleanup(func() { _ = locks.Close() })
		return locktest.System{Locker: locks, Advance: clock.Advance}
	}})
}
