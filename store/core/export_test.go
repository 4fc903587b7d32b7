package core

import (
	"editlock/store"
	"editlock/store/kv"
)

// Place is what ranges found under a name.
func Place(name string, found []kv.Found) (*store.Record, []store.Ticket, error) {
	p, err := readPlace(name, found)
	if err != nil {
		return nil, nil, err
	}
	return p.rec, p.queue, nil
}
