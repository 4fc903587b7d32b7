package telemetry

import (
	"context"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporters returns the OTLP exporters that the environment asks for. Without
// an endpoint there are none, so that nothing is sent anywhere by itself. The
// variables are OpenTelemetry's own; OTLP goes by http/protobuf:
//
//	OTEL_EXPORTER_OTLP_ENDPOINT            for both; or _TRACES_ENDPOINT, _METRICS_ENDPOINT
//	OTEL_TRACES_EXPORTER=none              no traces; OTEL_METRICS_EXPORTER=none likewise
//	OTEL_SDK_DISABLED=true                 neither
//	OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE, OTEL_TRACES_SAMPLER, …   as everywhere
func exporters(ctx context.Context) (sdkmetric.Exporter, sdktrace.SpanExporter, error) {
	var (
		metrics sdkmetric.Exporter
		traces  sdktrace.SpanExporter
	)
	wanted, err := wants("METRICS")
	if err != nil {
		return nil, nil, err
	}
	if wanted {
		if metrics, err = otlpmetrichttp.New(ctx); err != nil {
			return nil, nil, fmt.Errorf("telemetry: metrics by OTLP: %w", err)
		}
	}
	if wanted, err = wants("TRACES"); err != nil {
		return nil, nil, err
	}
	if wanted {
		if traces, err = otlptracehttp.New(ctx); err != nil {
			return nil, nil, fmt.Errorf("telemetry: traces by OTLP: %w", err)
		}
	}
	return metrics, traces, nil
}

// wants reports whether the environment asks for a signal, TRACES or METRICS.
func wants(signal string) (bool, error) {
	endpoint := either("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch kind := os.Getenv("OTEL_" + signal + "_EXPORTER"); kind {
	case "none":
		return false, nil
	case "", "otlp":
	default:
		return false, fmt.Errorf("telemetry: OTEL_%s_EXPORTER must be otlp or none, not %q", signal, kind)
	}
	switch protocol := either("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol {
	case "", "http/protobuf":
		return true, nil
	default:
		return false, fmt.Errorf("telemetry: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not %q", protocol)
	}
}

func either(special, general string) string {
	if v := os.Getenv(special); v != "" {
		return v
	}
	return os.Getenv(general)
}
