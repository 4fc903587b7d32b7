package editlock

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestPrefix checks that stores find by prefix exactly the IDs of a group, or
// of a group and mode.
func TestPrefix(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune("ab/% я")), 0, 3, -1)
	rapid.Check(t, func(t *rapid.T) {
		id := ID{Group: part.Draw(t, "group"), Mode: part.Draw(t, "mode"), ID: "i" + part.Draw(t, "id")}
		group, mode := part.Draw(t, "wanted group"), part.Draw(t, "wanted mode")

		got := strings.HasPrefix(id.String(), prefix(group, mode))
		want := group == "" || id.Group == group && (mode == "" || id.Mode == mode)
		if got != want {
			t.Fatalf("%q begins with %q: %v, want %v", id, prefix(group, mode), got, want)
		}
	})
}
