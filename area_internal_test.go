package editlock

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Stores find by prefix all mutexes of an area, and where it is whole no other;
// where it is not, no mutex of the area is sought past.
func TestArea_IsWhatStoresFindByPrefixAndSeeking(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune("ab/% я-0")), 0, 3, -1)
	pattern := func(t *rapid.T, name string) string {
		return part.Draw(t, name) + rapid.SampledFrom([]string{"", "*"}).Draw(t, name+" goes on")
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Area{Group: pattern(t, "wanted group"), Mode: pattern(t, "wanted mode")}
		id := ID{Group: part.Draw(t, "group"), Mode: part.Draw(t, "mode"), ID: "i" + part.Draw(t, "id")}
		other := ID{Group: part.Draw(t, "other group"), Mode: part.Draw(t, "other mode"), ID: "i" + part.Draw(t, "other id")}
		prefix, whole := a.prefix()
		begins, has := strings.HasPrefix(id.String(), prefix), a.Contains(id, Owner{})
		if has && !begins || whole && begins && !has {
			t.Fatalf("%q begins with %q: %v; the area %+v has it: %v, whole: %v", id, prefix, begins, a, has, whole)
		}
		q, whole := logOf([]Area{a})
		found := begins && strings.Contains(id.String(), q.Infix)
		if has && !found || whole && found && !has {
			t.Fatalf("%q is found by %+v: %v; the area %+v has it: %v, whole: %v", id, q, found, a, has, whole)
		}
		if from := other.String(); strings.HasPrefix(from, prefix) {
			to := a.seek(from)
			if (to == from) != a.Contains(other, Owner{}) {
				t.Fatalf("%q leads to %q; the area %+v has it: %v", other, to, a, a.Contains(other, Owner{}))
			}
			if has && from < id.String() && to >= id.String() {
				t.Fatalf("from %q it is sought behind %q, which the area %+v has", other, id, a)
			}
		}
		b := Area{Group: pattern(t, "group of b"), Mode: pattern(t, "mode of b")}
		if b.covers(a) && has && !b.Contains(id, Owner{}) {
			t.Fatalf("%+v covers %+v, and does not have %q", b, a, id)
		}
	})
}
