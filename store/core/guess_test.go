package core

import (
	"fmt"
	"strings"
	"testing"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/kv"
)

// queued is a held name with one waiter, whose data are so large.
func queued(i, data int) *place {
	return &place{
		name: fmt.Sprint("name ", i), hold: &kv.Row{Rev: uint64(i), Data: "held", Tags: []string{"s"}},
		queue: []store.Waiter{{ID: "t", Data: strings.Repeat("d", data), Event: &store.Event{Reason: "why"}}},
	}
}

func TestWhatIsRememberedOfQueuesIsBounded(t *testing.T) {
	const data, bound = 64 << 10, 16 << 20
	var h holds
	for i := range 1000 {
		h.saw(queued(i, data))
		if last := h.get(fmt.Sprint("name ", i)); last == nil || last.hold.Rev != uint64(i) || len(last.queue) != 1 {
			t.Fatalf("of name %d, seen last, %+v is remembered", i, last)
		}
	}
	texts := 0
	for _, last := range h.names {
		texts += len(last.queue[0].Data)
	}
	if texts > bound || texts < bound*9/10 {
		t.Errorf("%d bytes are remembered of %d names, want just below %d", texts, len(h.names), bound)
	}
	for i := range 1000 {
		h.saw(&place{name: fmt.Sprint("name ", i)})
	}
	if len(h.names) != 0 || h.size != 0 {
		t.Errorf("%d names and %d bytes are left of none", len(h.names), h.size)
	}
}

func TestANameSeenAgainTakesItsOwnPlace(t *testing.T) {
	var h holds
	for i := range 10 {
		h.saw(queued(i, 1<<20))
	}
	for range 100 {
		h.saw(queued(3, 1<<20))
	}
	if len(h.names) != 10 {
		t.Errorf("%d names are remembered, want 10", len(h.names))
	}
	h.saw(queued(3, 16<<20))
	if h.get("name 3") != nil || len(h.names) != 9 {
		t.Errorf("a queue above the bound is remembered, or %d other names, want 9", len(h.names))
	}
}

func TestSmallHoldsAreBoundedByTheirNumber(t *testing.T) {
	var h holds
	for i := range maxKnown + 100 {
		h.saw(&place{name: fmt.Sprint("name ", i), hold: &kv.Row{}})
	}
	if len(h.names) != maxKnown {
		t.Errorf("%d names are remembered, want %d", len(h.names), maxKnown)
	}
}

// Texts of a row may be parts of one that has its data too.
func TestNothingThatMayHoldTheDataIsRemembered(t *testing.T) {
	var h holds
	h.saw(queued(1, 0))
	if row := h.get("name 1").hold; row.Data != "" || row.Tags != nil || row.Key != "" || row.Lease != "" {
		t.Errorf("%+v is remembered", row)
	}
}
