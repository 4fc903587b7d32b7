package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/store"
)

// An engine's section compares editlock on it with the bare commands, and with
// the locks that others have built on it, all on the same server process.

const many = 64 // clients that share a server

// bareSwaps captures and releases with all that a record has, but writes no
// history.
func bareSwaps(st store.Store) func(context.Context, int, int) error {
	return func(ctx context.Context, client, n int) error {
		o := person(client)
		holder := store.Party{Session: o.Session, User: o.UserID, Value: `{"login":"ivanov","name":"Ivan Ivanov","host":"desk-17.example"}`}
		name, data := invoice(client, n).String(), ""
		res, err := st.Commit(ctx, store.Txn{Ops: []store.Op{{
			Name: name, Expect: store.Expect{Free: true}, Do: store.Acquire,
			Holder: &holder, Data: &data, Terms: &store.Terms{Idle: 5 * time.Minute},
		}}})
		if err != nil || !res.Done {
			return fmt.Errorf("capture: %v, %w", res.Done, err)
		}
		res, err = st.Commit(ctx, store.Txn{Ops: []store.Op{{
			Name: name, Expect: store.Expect{Token: res.Records[0].Token}, Do: store.Release,
		}}})
		if err != nil || !res.Done {
			return fmt.Errorf("release: %v, %w", res.Done, err)
		}
		return nil
	}
}

// passing is a lock, or a bare push, that two clients pass to and fro.
type passing struct {
	name    string
	versus  []versus // ratios of times: at most the aim, or at least if it is a poller's
	acquire func(ctx context.Context, client int) error
	release func(ctx context.Context, client int) error
	quiet   func() // between rounds, if set: as if nothing had happened

	took   []time.Duration
	rounds []time.Duration
}

// longHold is the longest that a client keeps what it passes on. Holds are
// drawn at random, so that pollers are met at any moment of their pause.
const longHold = 120 * time.Millisecond

// pass lets two clients take turns for d.
func (p *passing) pass(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d+time.Minute)
	defer cancel()
	if p.quiet != nil {
		p.quiet()
	}
	if err := p.acquire(ctx, 0); err != nil {
		return err
	}
	p.took = p.took[:0]
	holder := 0
	for end := time.Now().Add(d); time.Now().Before(end); holder = 1 - holder {
		next, got := 1-holder, make(chan error, 1)
		go func() { got <- p.acquire(ctx, next) }()
		time.Sleep(5*time.Millisecond + rand.N(longHold))
		from := time.Now()
		if err := p.release(ctx, holder); err != nil {
			return err
		}
		if err := <-got; err != nil {
			return err
		}
		p.took = append(p.took, time.Since(from))
	}
	slices.Sort(p.took)
	p.rounds = append(p.rounds, quantile(p.took, 0.5))
	return p.release(ctx, holder)
}

// handOffs compares how long a release takes to reach who waits.
func (b *bench) handOffs(ctx context.Context, all []*passing) error {
	for range b.rounds {
		for _, p := range all {
			if err := p.pass(ctx, 2*b.round); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	fmt.Println()
	t := table{"hand-off, from the release to the other's return", "p50", "ratio"}
	t.head()
	for _, p := range all {
		var ratios []string
		for _, v := range p.versus {
			i := slices.IndexFunc(all, func(other *passing) bool { return other.name == v.raw })
			var of []float64
			for round := range p.rounds {
				of = append(of, float64(p.rounds[round])/float64(all[i].rounds[round]))
			}
			ratios = append(ratios, fmt.Sprintf("%s of %s (%s)", spread(of, "%.2f"), v.raw, v.atMost(median(of))))
		}
		t.row(p.name, fmt.Sprint(round(median(p.rounds))), strings.Join(ratios, "; "))
	}
	return nil
}

// atMost is the verdict on a ratio of times.
func (v versus) atMost(got float64) string {
	word := "met"
	if got > v.aim {
		word = "missed"
	}
	return fmt.Sprintf("aim at most %.2g: %s", v.aim, word)
}

// baton is what the passing clients pass.
var baton = editlock.ID{Group: "shop", Mode: "invoice", ID: "baton"}

// lockPassing passes a mutex between two programs that share only the store.
func lockPassing(name string, programs [2]*editlock.Manager, versus ...versus) *passing {
	as := func(ctx context.Context, client int) context.Context { return editlock.WithOwner(ctx, person(client)) }
	return &passing{
		name: name, versus: versus,
		acquire: func(ctx context.Context, client int) error {
			_, err := programs[client].Capture(as(ctx, client), baton, &editlock.CaptureOptions{Wait: time.Minute})
			return err
		},
		release: func(ctx context.Context, client int) error {
			_, err := programs[client].Release(as(ctx, client), baton, editlock.Condition{})
			return err
		},
	}
}
