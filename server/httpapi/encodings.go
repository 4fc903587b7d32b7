package httpapi

import (
	"sync/atomic"

	"github.com/editlock/editlock"
)

// encodings caches the latest events as parts of a stream, so that an event is encoded
// once for all streams that show the same of it.
type encodings [512]atomic.Pointer[encoding]

type encoding struct {
	event editlock.Event
	part  []byte
}

// of returns an event as a part of a stream. The caller must not change it.
func (c *encodings) of(e editlock.Event, encode func(editlock.Event) []byte) []byte {
	slot := &c[e.Seq%uint64(len(c))]
	if known := slot.Load(); known != nil && known.event == e { // its texts are the same ones, mostly
		return known.part
	}
	part := encode(e)
	slot.Store(&encoding{e, part})
	return part
}
