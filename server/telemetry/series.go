package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// labels are up to two values of labels; they come from small fixed sets.
type labels struct{ first, second string }

// series keeps the attribute sets made once for all: a set is sorted and
// hashed, which costs more than to count.
type series[O any] struct {
	first, second string // names; an empty second is none
	make          func(attribute.Set) O
	made          sync.Map // of []O by labels
}

func (s *series[O]) of(l labels) []O {
	if found, ok := s.made.Load(l); ok {
		return found.([]O)
	}
	attrs := []attribute.KeyValue{attribute.String(s.first, l.first)}
	if s.second != "" {
		attrs = append(attrs, attribute.String(s.second, l.second))
	}
	found, _ := s.made.LoadOrStore(l, []O{s.make(attribute.NewSet(attrs...))})
	return found.([]O)
}

// counter counts by one label or two.
type counter struct {
	metric.Int64Counter
	series *series[metric.AddOption]
}

func newCounter(m metric.Meter, name, text, first, second string) (counter, error) {
	c, err := m.Int64Counter(name, metric.WithDescription(text))
	return counter{c, &series[metric.AddOption]{
		first: first, second: second, make: func(set attribute.Set) metric.AddOption { return metric.WithAttributeSet(set) },
	}}, err
}

func (c counter) add(ctx context.Context, first, second string) {
	c.Add(ctx, 1, c.series.of(labels{first, second})...)
}

// timer is a histogram of seconds by one label or two. Its count is the number
// of what it times.
type timer struct {
	metric.Float64Histogram
	series *series[metric.RecordOption]
}

func newTimer(m metric.Meter, name, text string, bounds []float64, first, second string) (timer, error) {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), metric.WithExplicitBucketBoundaries(bounds...))
	return timer{h, &series[metric.RecordOption]{
		first: first, second: second, make: func(set attribute.Set) metric.RecordOption { return metric.WithAttributeSet(set) },
	}}, err
}

func (t timer) took(ctx context.Context, d time.Duration, first, second string) {
	t.Record(ctx, d.Seconds(), t.series.of(labels{first, second})...)
}
