package duration_test

import (
	"testing"
	"time"

	"github.com/editlock/editlock/internal/duration"
)

func TestText(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "10s": 10 * time.Second, "5m": 300 * time.Second, "10m": 10 * time.Minute, "1m30s": 90 * time.Second,
		"720h": 720 * time.Hour, "1h30m": 90 * time.Minute, "1h0m5s": time.Hour + 5*time.Second, "250ms": time.Second / 4,
		"-5m": -5 * time.Minute, "10h10m": 610 * time.Minute, "8760h": 365 * 24 * time.Hour,
	} {
		got := duration.Text(d)
		if read, err := time.ParseDuration(got); got != want || err != nil || read != d {
			t.Errorf("%v is %q, read as %v (%v); want %q", d, got, read, err, want)
		}
	}
}
