package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/editlock/editlock/server/access"
)

// Access shows what access control refused: editlock.limited {limit}, and
// editlock.refused {why}, "forbidden", "unauthenticated" or "invalid".
func (t *Telemetry) Access(c *access.Counters) error {
	m := t.meters.Meter(scope)
	limited, err := m.Int64ObservableCounter("editlock.limited", metric.WithDescription("Calls that met a limit"))
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	refused, err := m.Int64ObservableCounter("editlock.refused", metric.WithDescription("Calls refused for want of credentials or rights, or for what they say"))
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	with := func(label, value string) metric.ObserveOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(label, value)))
	}
	forbidden, unknown, invalid := with("why", "forbidden"), with("why", "unauthenticated"), with("why", "invalid")
	limits := map[string]metric.ObserveOption{}
	for name := range c.Limited() {
		limits[name] = with("limit", name)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for name, n := range c.Limited() {
			o.ObserveInt64(limited, int64(n), limits[name])
		}
		o.ObserveInt64(refused, int64(c.Forbidden()), forbidden)
		o.ObserveInt64(refused, int64(c.Unauthenticated()), unknown)
		o.ObserveInt64(refused, int64(c.Invalid()), invalid)
		return nil
	}, limited, refused)
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	return nil
}
