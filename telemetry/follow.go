package telemetry

import (
	"context"
	"errors"
	"time"

	"editlock"
)

const (
	// maxFollowed is how many holds are followed from their capture to their
	// end; of more, the length is not measured.
	maxFollowed = 100_000
	// followAgain is how long after a failure to look at the log again.
	followAgain = 5 * time.Second
)

// Follow counts what l's history tells as it happens, also what no call tells
// of: expiries, and how long holds were. It returns when ctx ends. All servers
// of a store see one history, so let one show it, or take the maximum of what
// they show, not the sum. A Manager reads the log once for all who watch; where
// nobody else does, this costs a read of the log whenever it grew.
func (t *Telemetry) Follow(ctx context.Context, l editlock.Locker) {
	f := &follower{t: t, held: make(map[editlock.ID]hold)}
	for ctx.Err() == nil {
		for e, err := range l.Watch(ctx, editlock.WatchQuery{After: f.after}) {
			if errors.Is(err, editlock.ErrInvalid) {
				f.after = nil // another store stands there now
			}
			if err != nil {
				break
			}
			f.after = &e.Seq
			f.saw(ctx, e)
		}
		select {
		case <-ctx.Done():
		case <-time.After(followAgain):
		}
	}
}

// follower knows the holds whose beginning it saw.
type follower struct {
	t     *Telemetry
	after *uint64
	held  map[editlock.ID]hold
}

type hold struct {
	token editlock.Token
	since time.Time
}

func (f *follower) saw(ctx context.Context, e editlock.Event) {
	f.t.events.add(ctx, string(e.Kind)) // Managers and engines write a fixed set
	was, known := f.held[e.ID]
	switch e.Kind {
	case editlock.KindCaptured, editlock.KindTakenOver:
		if known && e.Kind == editlock.KindTakenOver {
			f.t.holds.took(ctx, e.At.Sub(was.since), string(e.Kind), "")
		}
		if known || len(f.held) < maxFollowed {
			f.held[e.ID] = hold{e.Token, e.At}
		}
	case editlock.KindReleased, editlock.KindExpired, editlock.KindForceReleased, editlock.KindHandedOver:
		if known && was.token == e.Token {
			f.t.holds.took(ctx, e.At.Sub(was.since), string(e.Kind), "")
			delete(f.held, e.ID)
		}
	case editlock.KindGap:
		clear(f.held) // their ends may be among what is gone
	default: // who waits or is declined ends nothing
	}
}
