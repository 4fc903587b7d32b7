package telemetry_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"editlock"
	"editlock/store/memory"
	"editlock/telemetry"
)

func TestReady(t *testing.T) {
	working, gone := memory.New(nil), memory.New(nil)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	locks := editlock.NewManager(working, nil)
	t.Cleanup(func() { _ = locks.Close() })
	drained, drain := context.WithCancel(t.Context())
	drain()
	broken := errors.New("the certificate is out of date")
	for _, tt := range []struct {
		name  string
		parts []telemetry.Part
		want  []string
	}{
		{"when there is nothing to check", nil, nil},
		{"when all parts are", []telemetry.Part{telemetry.StoreReady(working), telemetry.LockerReady(locks), telemetry.Until(t.Context())}, nil},
		{"not without the store", []telemetry.Part{telemetry.Until(t.Context()), telemetry.StoreReady(gone)}, []string{"store"}},
		{"not while it drains", []telemetry.Part{telemetry.Until(drained), telemetry.StoreReady(working)}, []string{"server"}},
		{"not for two reasons", []telemetry.Part{
			{Name: "tls", Check: func(context.Context) error { return broken }}, telemetry.StoreReady(gone),
		}, []string{"tls", "store"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := telemetry.Ready(t.Context(), tt.parts...)
			var not *telemetry.NotReadyError
			if errors.As(err, &not) != (tt.want != nil) {
				t.Fatal(err)
			}
			if not != nil && !slices.Equal(not.Parts, tt.want) {
				t.Errorf("not ready are %q; want %q", not.Parts, tt.want)
			}
		})
	}
	t.Run("not when a part gives no answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		hangs := telemetry.Part{Name: "login", Check: func(ctx context.Context) error {
			cancel() // as the two seconds would
			<-ctx.Done()
			return ctx.Err()
		}}
		var not *telemetry.NotReadyError
		if err := telemetry.Ready(ctx, hangs); !errors.As(err, &not) || not.Why["login"] == nil {
			t.Error(err)
		}
	})
}
