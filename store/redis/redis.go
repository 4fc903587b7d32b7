// Package redis keeps records in Redis (6.2 and newer) or Valkey, on one
// server, behind a failover, or on a cluster: for several servers of editlock
// that share one store.
//
// Guarantees: all laws of package store but, in a failover, the seventh. Each
// call is one script, so it happens at one moment, for all its names
// together; the server's clock decides, in whole microseconds. What was
// acknowledged outlives a crash of Redis if it runs with "appendonly yes" and
// "appendfsync always". With "appendfsync everysec", Redis's default, a crash
// may lose the last second; without a file, everything.
//
// Failover: replicas are behind by what was not sent yet. A replica that is
// made the primary may not know the last changes: a mutex held by one is then
// free or another's, and tokens and numbers of entries may be given out a
// second time. The option wait_replicas makes each call wait until so many
// replicas have its changes, and fail if they don't in time: its outcome is
// then not known, and a retry with the same request ID finds it out. That
// makes the loss rarer, not impossible: Redis doesn't refuse to promote
// a replica that lacks what others have acknowledged.
//
// Cluster: all keys of a store share the hash tag {PREFIX}, hence one slot of
// one server, as one log and one counter order all its changes. Stores of
// different prefixes spread over the cluster.
//
// Memory: what expired stays for a day beyond its end, for a sweep to log it,
// and is then freed by Redis itself. If no server of editlock runs for a day,
// the entry of that expiry is lost. Redis must not evict keys: a store refuses
// everything while the maxmemory-policy is not noeviction, or the server is a
// replica. It looks when it is opened, every second, and before the first call on
// a server that was restarted. What was evicted before it saw that is lost, so it
// then stays closed until it is opened again.
//
// The clock of Redis is its machine's. Set back, locks live longer by that
// much; set forward, they may end sooner. Tokens rise regardless.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

// Options adjusts a store. Nil means defaults.
type Options struct {
	// clock replaces how scripts read the time, and now is what they are
	// given to read, as their last argument. For tests.
	clock string
	now   func() string
}

// Store is a store in Redis. Make it with Open.
type Store struct {
	store.Hub
	opts    Options
	at      address
	head    string // of all keys
	scripts *scripts
	client  rueidis.Client
	lone    *lone
	calls   atomic.Int64 // under way
	closed  atomic.Bool
	seen    atomic.Uint64 // the last number of which was told that it is there
	watch   watch

	listened chan struct{} // somebody began to

	end  context.CancelFunc
	done sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// layout is the version of how keys and values are laid out.
const layout = "1"

const (
	dialTimeout = 5 * time.Second
	// silence is how long a server may leave calls unanswered until the
	// connection counts as broken.
	silence = 5 * time.Second
	// buffer is that of a connection, each way: many calls, or one of the
	// largest.
	buffer = 64 << 10
)

// Open opens the store at a URL:
//
//	redis://[user:password@]host:port[/db][?prefix=editlock][&wait_replicas=1&wait_timeout=1s]
//
// rediss:// is the same over TLS. Several hosts, separated by commas, are nodes
// of one cluster. The prefix begins all keys. wait_replicas is how many
// replicas must have a change before it counts as done, at most wait_timeout
// later; 0, none.
//
// Open fails if the server can't be reached, is too old or can't be written
// to, if it may evict keys, or if the store was laid out by a newer editlock.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	s, err := reach(ctx, url, o)
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(context.Background())
	s.end = end
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.subscribe(ctx, running); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.done.Go(func() { s.keepLooking(running) })
	return s, nil
}

// reach makes a store that is connected, and nothing more.
func reach(ctx context.Context, url string, o *Options) (*Store, error) {
	at, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &Store{at: at, head: "{" + at.prefix + "}:", listened: make(chan struct{}, 1)}
	if o != nil {
		s.opts = *o
	}
	s.scripts = newScripts(at.replicas, s.opts.clock)
	opt := rueidis.ClientOption{
		InitAddress: at.hosts, TLSConfig: at.tls, Username: at.user, Password: at.password, SelectDB: at.db,
		ClientName: "editlock", DisableCache: true, ConnWriteTimeout: silence,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer,
		// One connection that all callers share: its commands go out together.
		PipelineMultiplex: -1,
	}
	opt.Dialer.Timeout = dialTimeout
	if s.client, err = dial(ctx, opt); err != nil {
		return nil, s.explain(ctx, err)
	}
	if s.lone, err = newLone(opt); err != nil {
		s.client.Close()
		return nil, s.explain(ctx, err)
	}
	return s, nil
}

// dial makes a client, unless the context ends first.
func dial(ctx context.Context, opt rueidis.ClientOption) (rueidis.Client, error) {
	type dialled struct {
		client rueidis.Client
		err    error
	}
	c := make(chan dialled, 1)
	go func() {
		client, err := rueidis.NewClient(opt)
		c <- dialled{client, err}
	}()
	select {
	case d := <-c:
		return d.client, d.err
	case <-ctx.Done():
		go func() {
			if d := <-c; d.err == nil {
				d.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// check asks the server whether it will do.
func (s *Store) check(ctx context.Context) error {
	if _, err := s.look(ctx); err != nil {
		return err
	}
	answer, err := s.eval(ctx, s.scripts.open, layout)
	if err != nil {
		return err
	}
	if len(answer) != 2 {
		return fmt.Errorf("redis: an answer of %d parts to Open", len(answer))
	}
	found, err := answer[0].ToString()
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(found); err != nil || strconv.Itoa(n) != layout {
		return fmt.Errorf("redis: the store at prefix %q is laid out in version %s; this editlock knows %s: use a newer one",
			s.at.prefix, found, layout)
	}
	seq, err := answer[1].AsInt64()
	s.seen.Store(uint64(seq))
	return err
}

// Close implements store.Store. Calls under way fail with ErrClosed, and may
// or may not have happened.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.end != nil {
		s.end()
	}
	s.done.Wait()
	s.lone.close()
	s.client.Close()
	return nil
}
