package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/wire"
)

// FuzzFlagValues is of the values of flags: one that is refused changes
// nothing, and one that is taken means what it says.
func FuzzFlagValues(f *testing.F) {
	for _, seed := range []string{
		"", "5m", "never", "0", "-1s", "Never", "1h ", "2025-11-22", "2025-11-22T12:04", "2025-11-22T12:04:05.5+03:00", "2025-02-30", "0000-01-01",
		"9223372036854775807", "9223372036854775808", "+1", "007", "1e3", "9999999h",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before := wire.Duration(time.Hour)
		d := &before
		if err := (&durationValue{&d}).Set(text); err != nil {
			if d != &before || before != wire.Duration(time.Hour) {
				t.Fatalf("%q is refused, and sets %v", text, d)
			}
		} else if again, err := time.ParseDuration(time.Duration(*d).String()); err != nil || again != time.Duration(*d) {
			t.Fatalf("%q is %v", text, *d)
		}

		var idle idleValue
		if err := idle.Set(text); err == nil && idle.never != (text == "never") || err == nil && idle.never == (idle.idle != nil) {
			t.Fatalf("%q is %+v", text, idle)
		}

		moment := time.Unix(1, 0)
		if err := (timeValue{&moment}).Set(text); err != nil {
			if !moment.Equal(time.Unix(1, 0)) {
				t.Fatalf("%q is refused, and sets %v", text, moment)
			}
		} else {
			again := moment
			if err := (timeValue{&again}).Set(moment.Format(time.RFC3339Nano)); err != nil && moment.Year() >= 0 || err == nil && !again.Equal(moment) {
				t.Fatalf("%q is %v, and that %v, %v", text, moment, again, err)
			}
		}

		var seq *uint64
		if err := (seqValue{&seq}).Set(text); (err == nil) != (seq != nil) || err == nil && strings.Trim(text, "0123456789") != "" {
			t.Fatalf("%q is %v, %v", text, seq, err)
		}
	})
}
