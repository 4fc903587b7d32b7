package redis

import (
	"context"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store/kv"
)

const (
	// armFor is how long the wish to hear of the log's growth lasts in Redis.
	armFor = 10 * time.Second
	// armEvery is how often it is repeated, and the number of the last entry
	// looked at: how late lost news is noticed.
	armEvery = 3 * time.Second
	// calm is how long no more is asked for after it was, so that writers don't
	// publish every entry.
	calm = 10 * time.Millisecond
	// again is how long after a subscription broke a new one is tried.
	again = 100 * time.Millisecond
)

// news are what listeners are told.
type news struct {
	kv.Listeners
	used chan struct{} // somebody began to, or what was asked for came
	seen atomic.Uint64 // the last number of which was told that it is there
}

// Listen implements kv.Engine.
func (e *engine) Listen(f func(kv.News)) (stop func()) {
	stop = e.news.Add(f)
	signal(e.news.used)
	return stop
}

// grown publishes that the log goes up to a number, if that is news.
func (n *news) grown(last uint64) {
	if n.seen.Swap(last) != last {
		n.Tell(kv.News{Logged: true})
	}
}

// CanBroadcast implements kv.Caster.
func (e *engine) CanBroadcast() bool { return true }

// Cast implements kv.Caster.
func (e *engine) Broadcast(ctx context.Context, text string) error {
	err := e.client.Do(ctx, e.client.B().Publish().Channel(e.head+"news").Message("C"+text).Build()).Error()
	if err != nil {
		return e.explain(ctx, err)
	}
	return nil
}

// subscribe begins to hear news, and returns when that has begun.
func (e *engine) subscribe(ctx, running context.Context) error {
	begun := make(chan struct{}, 1)
	hear := rueidis.WithOnSubscriptionHook(running, func(rueidis.PubSubSubscription) {
		select {
		case begun <- struct{}{}:
		default:
		}
	})
	failed := make(chan error, 1)
	e.done.Go(func() {
		for {
			err := e.client.Receive(hear, e.client.B().Subscribe().Channel(e.head+"news").Build(), func(m rueidis.PubSubMessage) {
				e.hear(m.Message)
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
		return e.explain(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
	e.done.Go(func() { e.keepArmed(running) })
	return nil
}

// hear passes a piece of news on: that the log grew, up to a number, a note, or a
// text of another process.
func (e *engine) hear(message string) {
	if message == "" {
		return
	}
	switch kind, rest := message[0], message[1:]; kind {
	case 'L':
		if last, err := strconv.ParseUint(rest, 10, 64); err == nil {
			e.news.grown(last)
		}
		signal(e.news.used)
	case 'C':
		e.news.Tell(kv.News{Casts: []string{rest}})
	case 'T':
		if sent, err := parseNote(rest); err == nil { // else it is none of ours
			if e.at.replicas > 0 {
				sent.Found = nil // what asks for it waits for them
			}
			e.news.Tell(kv.News{Messages: []kv.Sent{sent}})
		}
	}
}

// parseNote reads a note as the script sends it: texts behind their lengths.
func parseNote(message string) (sent kv.Sent, err error) {
	text := func() (s string) {
		if len(message) < 4 {
			err = errForm
			return ""
		}
		n := binary.LittleEndian.Uint32([]byte(message[:4]))
		if message = message[4:]; uint64(n) > uint64(len(message)) {
			err = errForm
			return ""
		}
		s, message = message[:n], message[n:]
		return s
	}
	number := func() int {
		n, bad := strconv.Atoi(text())
		if bad != nil {
			err = errForm
		}
		return n
	}
	sent.To, sent.Text, sent.Now = text(), text(), moment(float64(number()))
	for message != "" && err == nil {
		found := kv.Found{Count: number()}
		for n := number() / 2; n > 0 && err == nil; n-- {
			row, bad := parseRow(text(), text())
			if bad != nil {
				err = bad
			}
			found.Rows = append(found.Rows, row)
		}
		sent.Found = append(sent.Found, found)
	}
	return sent, err
}

// keepArmed asks Redis for word of the log's growth, as long as somebody
// listens here: now and then, and again after each.
func (e *engine) keepArmed(ctx context.Context) {
	tick := time.NewTicker(armEvery)
	defer tick.Stop()
	for {
		if e.news.Any() {
			e.arm(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm):
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-e.news.used:
		}
	}
}

// arm asks once, and publishes what has grown unheard.
func (e *engine) arm(ctx context.Context) {
	answer, err := e.behind(ctx, e.scripts.arm, strconv.FormatInt(armFor.Milliseconds(), 10))
	if err != nil {
		return // the next time
	}
	r := &reply{parts: answer}
	if last := r.number(); r.err == nil {
		e.news.grown(uint64(last))
	}
}

// behind runs a script on the shared connection.
func (e *engine) behind(ctx context.Context, sc *script, args ...string) ([]rueidis.RedisMessage, error) {
	return e.eval(ctx, true, sc, []string{e.armed}, args...)
}
