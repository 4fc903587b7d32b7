package core

import (
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// Place is what ranges found under a name.
func Place(name string, found []kv.Found) (*store.Record, []store.Ticket, error) {
	p, err := readPlace(name, found)
	if err != nil {
		return nil, nil, err
	}
	return p.rec, p.queue, nil
}
