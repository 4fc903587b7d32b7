package telemetry

import (
	"context"
	"slices"
	"time"

	"github.com/editlock/editlock"
)

const (
	// followEvery is how often the history is read.
	followEvery = 5 * time.Second
	// maxBehind is how many entries are read at a time; of more, the oldest are
	// not counted.
	maxBehind = 50_000
	// maxFollowed is how many holds are followed from their capture to their
	// end; of more, the length is not measured.
	maxFollowed = 100_000
)

// Follow counts what l's history tells, also what no call tells of: expiries,
// and how long holds were. It returns when ctx ends. All servers of a store see
// one history, so let one show it, or take the maximum of what they show, not
// the sum.
//
// It reads what is new every five seconds and does not watch: engines that
// serve several processes push the log's growth to who watches, which would
// cost every write something, day and night.
func (t *Telemetry) Follow(ctx context.Context, l editlock.Locker) {
	f := &follower{t: t, l: l, held: make(map[editlock.ID]hold)}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		f.pull(ctx) // what can't be read now is read the next time
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// follower knows the holds whose beginning it saw.
type follower struct {
	t     *Telemetry
	l     editlock.Locker
	began bool
	last  uint64 // the newest entry seen
	held  map[editlock.ID]hold
}

type hold struct {
	token editlock.Token
	since time.Time
}

// pull reads the entries since the last one seen, from the newest back.
func (f *follower) pull(ctx context.Context) {
	var entries []editlock.Event
	q := editlock.HistoryQuery{Limit: editlock.MaxPage}
	if !f.began {
		q.Limit = 1
	}
	for {
		page, err := f.l.History(ctx, q)
		if err != nil {
			return
		}
		entries = append(entries, page.Entries...)
		if len(entries) == 0 || entries[len(entries)-1].Seq <= f.last || page.Next == "" || !f.began {
			break
		}
		if len(entries) > maxBehind {
			clear(f.held) // their ends may be among what is left out
			break
		}
		q.Cursor = page.Next
	}
	switch {
	case len(entries) == 0:
	case !f.began, entries[0].Seq < f.last: // or another store stands there now
		f.last = entries[0].Seq
		clear(f.held)
	default:
		for _, e := range slices.Backward(entries) {
			if e.Seq > f.last {
				f.saw(ctx, e)
			}
		}
		f.last = entries[0].Seq
	}
	f.began = true
}

func (f *follower) saw(ctx context.Context, e editlock.Event) {
	f.t.events.add(ctx, string(e.Kind), "") // Managers and engines write a fixed set
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
	default: // who waits or is declined ends nothing
	}
}
