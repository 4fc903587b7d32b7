package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/store"
)

func TestNamesAreAboveAndBelowEachOther(t *testing.T) {
	for _, c := range []struct {
		name, below, tree string
		above             []string
	}{
		{"a", "", "", nil},
		{"a#b", "", "", nil},
		{"", "", "", nil},
		{"crm/", "crm/", "crm/", nil},
		{"/", "/", "/", nil},
		{"crm/contract/", "crm/contract/", "crm/", []string{"crm/"}},
		{"crm/contract/7", "crm/contract/7#", "crm/", []string{"crm/", "crm/contract/"}},
		{"//7", "//7#", "/", []string{"/", "//"}},
		{"crm/contract/7#address", "", "crm/", []string{"crm/", "crm/contract/", "crm/contract/7"}},
		{"crm/contract/7#a/b", "", "crm/", []string{"crm/", "crm/contract/", "crm/contract/7"}},
	} {
		if diff := cmp.Diff(c.above, store.Above(c.name)); diff != "" {
			t.Errorf("above %q (-want +got):\n%s", c.name, diff)
		}
		if got := store.Below(c.name); got != c.below {
			t.Errorf("names below %q begin with %q, not %q", c.name, got, c.below)
		}
		if got := store.Tree(c.name); got != c.tree {
			t.Errorf("the tree of %q is %q, not %q", c.name, got, c.tree)
		}
	}
}
