package httpapi

import (
	"sync/atomic"

	"github.com/editlock/editlock"
)

// encodings are the latest events as parts of a stream: encoded once, and not by each
// stream for itself, where all show the same of an event.
type encodings [512]atomic.Pointer[encoding]

type encoding struct {
	event editlock.Event
	part  []byte
}

// of is an event as a part of a stream. It must not be changed.
func (c *encodings) of(e editlock.Event, encode func(editlock.Event) []byte) []byte {
	slot := &c[e.Seq%uint64(len(c))]
	if known := slot.Load(); known != nil && known.event == e { // its texts are the same ones, mostly
		return known.part
	}
	part := encode(e)
	slot.Store(&encoding{e, part})
	return part
}
