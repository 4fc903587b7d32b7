package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

const (
	// armFor is how long the wish to hear of the log's growth lasts in Redis.
	armFor = 10 * time.Second
	// armEvery is how often it is repeated, and the number of the last entry
	// looked at: how late lost news is noticed.
	armEvery = 3 * time.Second
	// calm is how long after some news no more is asked for, so that writers
	// don't publish every entry.
	calm = 10 * time.Millisecond
	// again is how long after a subscription broke a new one is tried.
	again = 100 * time.Millisecond
)

// subscribe begins to hear news, and returns when that has begun.
func (s *Store) subscribe(ctx, running context.Context) error {
	used := make(chan struct{}, 1)
	begun := make(chan struct{}, 1)
	hear := rueidis.WithOnSubscriptionHook(running, func(e rueidis.PubSubSubscription) {
		select {
		case begun <- struct{}{}:
		default:
		}
	})
	failed := make(chan error, 1)
	s.done.Go(func() {
		for {
			err := s.client.Receive(hear, s.client.B().Subscribe().Channel(s.head+"news").Build(), func(m rueidis.PubSubMessage) {
				s.hear(m.Message, used)
			})
			if running.Err() != nil {
				return
			}
			select {
			case failed <- err:
			default:
			}
			select {
			case <-running.Done():
				return
			case <-time.After(again):
			}
		}
	})
	select {
	case <-begun:
	case err := <-failed:
		return s.explain(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	s.done.Go(func() { s.keepArmed(running, used) })
	return nil
}

// hear passes a piece of news on: that the log grew, up to a number, or that a
// ticket left its queue.
func (s *Store) hear(message string, used chan<- struct{}) {
	kind, rest := message[:min(1, len(message))], message[min(1, len(message)):]
	switch kind {
	case "L":
		if last, err := strconv.ParseUint(rest, 10, 64); err == nil {
			s.grown(last)
		}
		select {
		case used <- struct{}{}:
		default:
		}
	case "T":
		if n, err := newsOf(rest); err == nil { // else it is none of ours
			if s.at.replicas > 0 {
				n.Granted = store.View{} // the Get that asks for it waits for them
			}
			s.Publish([]store.Signal{n}, false)
		}
	}
}

// newsOf reads what a script tells of a ticket that left its queue, and of the
// record it was granted.
func newsOf(message string) (store.Signal, error) {
	u := unpacker{rest: message}
	n := store.Signal{Peer: u.text(), Ticket: u.text()}
	now := u.time()
	if u.err != nil || u.rest == "" {
		return n, u.err
	}
	raw := unpacker{rest: u.text()}
	rec := raw.record(u.text())
	rec.Waiting = u.length()
	for u.rest != "" && u.err == nil {
		if err := addWaiter(rec, u.text(), u.text()); err != nil {
			return n, err
		}
	}
	n.Granted = store.View{Record: rec, Now: now}
	return n, errors.Join(u.err, raw.err)
}

// keepArmed asks Redis for word of the log's growth, as long as somebody
// listens here.
func (s *Store) keepArmed(ctx context.Context, used <-chan struct{}) {
	tick := time.NewTicker(armEvery)
	defer tick.Stop()
	for {
		if s.Listening() {
			s.arm(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.listened:
		case <-used:
			select {
			case <-ctx.Done():
				return
			case <-time.After(calm):
			}
		}
	}
}

// arm asks once, and publishes what has grown unheard.
func (s *Store) arm(ctx context.Context) {
	answer, err := s.eval(ctx, s.scripts.arm, strconv.FormatInt(armFor.Milliseconds(), 10))
	if err != nil || len(answer) == 0 {
		return // the next time
	}
	if last, err := answer[0].AsUint64(); err == nil {
		s.grown(last)
	}
}

// grown publishes that the log goes up to a number, if that is news.
func (s *Store) grown(last uint64) {
	if s.seen.Swap(last) != last {
		s.Publish(nil, true)
	}
}

// Listen implements store.Store.
func (s *Store) Listen(peer string) *store.Subscription {
	sub := s.Hub.Listen(peer)
	select {
	case s.listened <- struct{}{}:
	default:
	}
	return sub
}
