package redis_test

import (
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// TestPartMark: engines take it that few rows are under what ends the name of a whole.
func TestPartMark(t *testing.T) {
	if kv.PartMark != store.PartMark {
		t.Errorf("parts of names begin with %q, and engines look for %q", store.PartMark, kv.PartMark)
	}
}
