// Package etcd keeps records in an etcd cluster, version 3.4 or newer.
//
// Guarantees: all laws of package store, among any number of processes. Each
// step is one etcd transaction, and an uncontended one is one round trip. It
// is acknowledged when a majority of the members has it on disk.
//
// The store's clock is etcd's: its leader counts the age of a lease, which
// every process reads when it opens the store and every minute after, and
// expiry is judged by that time to the microsecond. Two processes' readings
// may differ by a round trip at worst, and by some milliseconds as a rule; a
// holder stops 2 % before his time is up, so leases should be longer than
// fifty round trips. No machine's time of day decides anything, but that of
// who creates the store, where its clock begins. Whole seconds appear in one
// place: as etcd tells ages in them, and the end of one must be seen, Open
// takes up to a second.
//
// Weaknesses: a new leader of etcd counts leases anew. Processes that are
// there carry the time on; if there are none, the time until the next comes
// is not counted, so holds end later by so much, never sooner, and times
// shown are behind. All steps of a store go through one key, so its
// throughput is what one process can pack into transactions that follow one
// another; two processes take turns. A request that writes more than
// etcd's --max-request-bytes (1.5 MiB) is refused with an error: 1,000 names
// of 100 bytes fit in one. The history of one name is found by reading the
// log, so retention should bound it.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
)

// Options adjusts a store. Nil means defaults; there is nothing to adjust yet.
type Options struct{}

// Store is a store in etcd. Make it with Open.
type Store struct {
	store.Hub
	keys    keys
	client  *clientv3.Client
	kv      clientv3.KV
	leases  clientv3.Lease
	grant   func(ctx context.Context, id, ttl int64) error // of a lease with this ID
	clock   *clock
	process string // this one's ID
	slack   int64  // how far behind the time of a refusal may be, in microseconds

	jobs   *groupcommit.Queue[*job]
	quit   context.Context // ends with Close
	end    context.CancelFunc
	closed sync.Once
	done   sync.WaitGroup

	mu        sync.Mutex
	watching  bool
	lastPrune int64 // the store's time
}

// maxSlack is how far behind the time of a refusal may be: it says how long
// another one's hold lasts still. So most refusals write nothing.
const maxSlack = 50 * time.Millisecond

// openWithin bounds how long Open tries to reach etcd.
const openWithin = 10 * time.Second

// Open opens the store that a URL names, and creates it if it does not exist:
//
//	etcd://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/PREFIX][?tls=true&ca=FILE&cert=FILE&key=FILE]
//
// The keys of the store begin with /PREFIX/ (/editlock/), and no others are
// touched; the user needs a role that may read and write these. A store of
// a newer editlock is refused.
func Open(ctx context.Context, url string, _ *Options) (*Store, error) {
	return open(ctx, url, nil)
}

func open(ctx context.Context, url string, fixed func() time.Time) (*Store, error) {
	cfg, prefix, err := parse(url)
	if err != nil {
		return nil, err
	}
	s := &Store{
		keys: keys(prefix), process: newID(), slack: maxSlack.Microseconds(),
		jobs: groupcommit.New[*job](maxBatch, maxBatchBytes),
	}
	s.quit, s.end = context.WithCancel(context.Background())
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	cfg.Context = s.quit
	// The client's first call is to authenticate; it has no context of its own.
	cfg.DialTimeout = openWithin
	if s.client, err = clientv3.New(cfg); err != nil {
		s.end()
		return nil, explain(err, cfg.Endpoints)
	}
	s.kv, s.leases = s.client.KV, s.client.Lease
	s.grant = granter(s.client)
	s.clock = newClock(s.leases)
	if fixed != nil {
		s.clock.fixed, s.slack = fixed, 0
	}
	c := &committer{s: s}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	s.done.Go(func() { s.jobs.Run(c.perform) })
	if fixed == nil {
		s.done.Go(s.keepTime)
	}
	return s, nil
}

// start finds or creates the store, sets the clock, and gets what the first
// step needs.
func (s *Store) start(ctx context.Context, c *committer) error {
	for {
		err := s.setClock(ctx)
		if err == nil {
			_, err = c.lease(ctx)
		}
		if err == nil {
			return nil
		}
		if !temporary(err) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(retryPause):
		}
	}
}

// shut ends what runs, and closes the connections.
func (s *Store) shut() error {
	s.mu.Lock() // nobody begins to watch now
	s.jobs.Close()
	s.end()
	s.mu.Unlock()
	s.done.Wait()
	if err := s.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() { err = s.shut() })
	return err
}
