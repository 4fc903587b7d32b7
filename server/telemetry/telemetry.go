// Package telemetry tells how editlock does: metrics for Prometheus, and, only
// where the standard OTEL_* variables ask for it, traces and metrics by OTLP.
//
// Wrap the store, then the Locker on it, then the HTTP handler; each is worth
// something alone:
//
//	t, err := telemetry.New(ctx, nil)
//	st = t.Store(st)
//	locks := t.Locker(editlock.NewManager(st, nil))
//	mux.Handle("/metrics", t.Handler())
//	handler = t.Trace(handler)
//
// No label and no attribute names a mutex or a person, so the number of series
// is bounded and small whatever is locked by whomever. docs/adr/0015 has the
// reasons, and packaging/grafana a dashboard.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	prom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package in what is exported.
const scope = "github.com/editlock/editlock/server/telemetry"

// Options adjusts a Telemetry. Nil means defaults.
type Options struct {
	// Version of the program, an attribute of what is exported.
	Version string
	// Spans get every span, besides OTLP. Nil: none.
	Spans sdktrace.SpanProcessor
}

// Telemetry has the instruments. Its methods are safe for concurrent use.
type Telemetry struct {
	registry *prometheus.Registry
	meters   *sdkmetric.MeterProvider
	spans    *sdktrace.TracerProvider // nil: no traces
	tracer   trace.Tracer             // nil: no traces
	*instruments
}

// New makes the instruments, and the OTLP exporters that the environment asks
// for (docs/adr/0015 lists the variables). Shutdown it when done.
func New(ctx context.Context, o *Options) (*Telemetry, error) {
	if o == nil {
		o = new(Options)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "editlock"), attribute.String("service.version", o.Version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word
	)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	t := &Telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	scraped, err := prom.New(prom.WithRegisterer(t.registry), prom.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	meters := []sdkmetric.Option{
		sdkmetric.WithResource(about), sdkmetric.WithReader(scraped),
		sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter),
	}
	spans := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	metrics, traces, err := exporters(ctx)
	if err != nil {
		return nil, err
	}
	if metrics != nil {
		meters = append(meters, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	}
	if traces != nil {
		spans = append(spans, sdktrace.WithBatcher(traces))
	}
	if o.Spans != nil {
		spans = append(spans, sdktrace.WithSpanProcessor(o.Spans))
	}
	if traces != nil || o.Spans != nil {
		t.spans = sdktrace.NewTracerProvider(spans...)
		t.tracer = t.spans.Tracer(scope)
	}
	t.meters = sdkmetric.NewMeterProvider(meters...)
	if t.instruments, err = newInstruments(t.meters.Meter(scope)); err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: %w", err), t.Shutdown(ctx))
	}
	return t, nil
}

// Handler serves the metrics in Prometheus's form, those of the process
// included. It authenticates nobody: put it where only the monitoring can reach it.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Shutdown sends what is left to send, until ctx ends.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	err := t.meters.Shutdown(ctx)
	if t.spans != nil {
		err = errors.Join(err, t.spans.Shutdown(ctx))
	}
	return err
}
