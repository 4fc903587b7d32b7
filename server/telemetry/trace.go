package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/editlock/editlock/server/access"
)

// span begins a span of a call, with the ID of the request that it belongs to.
// What it returns ends the span. Only with a tracer.
func (t *Telemetry) span(ctx context.Context, name string) (context.Context, func(outcome string)) {
	ctx, span := t.tracer.Start(ctx, name)
	if id := access.RequestIDFrom(ctx); id != "" {
		span.SetAttributes(attribute.String("editlock.request_id", id))
	}
	return ctx, func(how string) {
		span.SetAttributes(attribute.String("editlock.outcome", how))
		if how == unavailable || how == failed { // a refusal is an answer
			span.SetStatus(codes.Error, how)
		}
		span.End()
	}
}

// Trace returns next with a span for each request, which continues the trace
// of the caller's traceparent header. Put it inside what gives requests their
// IDs (httpapi.Front). Where traces are off it is next itself.
func (t *Telemetry) Trace(next http.Handler) http.Handler {
	if t.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, "HTTP "+method(r), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		if id := access.RequestIDFrom(ctx); id != "" {
			span.SetAttributes(attribute.String("editlock.request_id", id))
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// method is the request's, if it is a known one.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions:
		return r.Method
	default:
		return "_OTHER"
	}
}
