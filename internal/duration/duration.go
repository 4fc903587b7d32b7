// Package duration writes durations for people, as short as Go's notation allows.
package duration

import (
	"strings"
	"time"
)

// Text is d as people write it: "720h", "1h30m", "90s" as "1m30s"; not "720h0m0s".
// time.ParseDuration reads it.
func Text(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
