package core

import (
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// Lookup are the ranges that tell all of a name.
func Lookup(name string) []kv.Range {
	l := lookup{name: name, wide: true, deep: true}
	return l.ranges(nil)
}

// Place is what those ranges found under a name.
func Place(name string, found []kv.Found) (store.State, error) {
	l := lookup{name: name, wide: true, deep: true}
	p, _, err := l.read(found)
	if err != nil {
		return store.State{}, err
	}
	return p.state(), nil
}

// Watched is how many names are still looked at once one was found to be open, which
// may have come again while somebody looked.
func Watched(again bool) int {
	b := new(blocked)
	b.add([]stuck{{name: "a"}})
	seen := b.some(1)
	if again {
		b.add([]stuck{{name: "a"}})
	}
	b.looked(seen, nil, nil)
	return len(b.names)
}
