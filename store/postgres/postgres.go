// Package postgres keeps records in a PostgreSQL database, version 13 or
// newer: the store for several servers.
//
// Guarantees: all laws of package store. A swap is one statement and one round
// trip; it is judged by the database's clock under a lock of the store, so
// that all steps are in one order, and is acknowledged when its commit is on
// the server's disk (also where synchronous_commit is off by default). Swaps
// of one process that arrive while a commit is under way share the next one;
// a refused one costs no commit. The tables and functions are made when the
// store is first opened, by whoever is first, and a newer schema is refused.
//
// Weaknesses: with asynchronous replication a failover may lose the last
// commits, and the locks in them; with synchronous_standby_names set it
// doesn't. A long transaction elsewhere in the database keeps PostgreSQL from
// removing dead rows, which makes swaps slower the longer it lasts. The clock is
// the database machine's, and another one's after a failover: a step forward ends
// holds early by as much, a step back lets them last longer; tokens rise
// regardless. Only a physical standby may take over: logical replication does
// not carry the sequence that tokens come from.
//
// Processes are told of each other's changes by NOTIFY, but only when somebody
// waits or watches, and look for themselves every second in any case. Behind
// PgBouncer in transaction mode, which is noticed, LISTEN does not work: they
// look every 0.2 s then, unless the URL names another way in for listening.
package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
)

// answerWithin is how long the server may take to answer before it counts as
// away, whatever the caller's patience.
const answerWithin = 10 * time.Second

// Store is a store in a PostgreSQL database. Make it with Open.
type Store struct {
	store.Hub
	target  *target
	pool    *pgxpool.Pool
	process string // of this Store, among those that share the database
	query   queries

	jobs   *groupcommit.Queue[*job]
	ctx    context.Context // ends with Close
	end    context.CancelFunc
	closed sync.Once
	done   sync.WaitGroup

	listens  sync.Once
	watching atomic.Bool // a lease to be told of the log's growth is fresh

	mu        sync.Mutex
	peers     []string  // that listen here, at most maxPeers
	seen      uint64    // log entries up to this one were published
	lastPrune time.Time // by the store's clock
}

// Open opens the store in the database that url names, and makes it there if
// it is missing. The URL is PostgreSQL's (postgres://user:password@host/database,
// with sslmode, pool_max_conns and so on), and may also have
//
//	schema=NAME      where the tables are, made if missing; search_path=NAME
//	                 says the same. By default the one that the server takes
//	listen_url=URL   how to reach the server for LISTEN if the URL itself leads
//	                 through a pooler
//
// Open fails at once if the server can't be reached, refuses, is too old, or
// has tables of a newer editlock.
func Open(ctx context.Context, url string) (*Store, error) {
	t, err := parse(url)
	if err != nil {
		return nil, err
	}
	if err := t.prepare(ctx); err != nil {
		return nil, explain(err)
	}
	s := &Store{
		target: t, process: rand.Text(), query: newQueries(t),
		jobs: groupcommit.New[*job](maxBatch, maxBatchBytes),
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, t.config); err != nil {
		return nil, explain(err)
	}
	if err := s.pool.QueryRow(ctx, s.query.last).Scan(&s.seen); err != nil {
		s.pool.Close()
		return nil, explain(err)
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.done.Go(func() { s.jobs.Run(s.perform) })
	return s, nil
}

// Close implements store.Store. What is under way is finished first.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.jobs.Close()
		<-s.jobs.Ended()
		s.end()
		s.done.Wait()
		s.pool.Close()
	})
	return nil
}

// within is the context of one call: it ends with the caller's, with the
// store, and when the server does not answer.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if s.jobs.Closed() {
		return nil, nil, store.ErrClosed
	}
	bound, cancel := context.WithTimeout(ctx, answerWithin)
	stop := context.AfterFunc(s.ctx, cancel)
	return bound, func() { stop(); cancel() }, nil
}

// failed tells a caller in his terms why a call failed.
func (s *Store) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if gone := ctx.Err(); gone != nil {
		return gone
	}
	if s.jobs.Closed() {
		return store.ErrClosed
	}
	return explain(err)
}

// read does something that may be repeated: once more if the connection turns
// out to be dead, as after a restart of the server.
func (s *Store) read(ctx context.Context, f func(ctx context.Context) error) error {
	bound, cancel, err := s.within(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	err = f(bound)
	if err != nil && bound.Err() == nil && disconnected(err) {
		s.pool.Reset()
		err = f(bound)
	}
	return s.failed(ctx, err)
}

// queries are the statements, with the schema in place.
type queries struct {
	swap, take, drop, get, last, ends, tail, due, sweep, prune, beat, watch string
	list, log                                                               string // without their conditions
	cuts                                                                    string
}

func newQueries(t *target) queries {
	q := queries{
		swap:  "SELECT @schema@.editlock_answer(" + parameters(19) + ")",
		take:  "SELECT @schema@.editlock_take(" + parameters(16) + ")",
		drop:  "SELECT @schema@.editlock_drop(" + parameters(13) + ")",
		get:   getQuery,
		list:  listQuery,
		log:   logQuery,
		last:  lastQuery,
		ends:  endsQuery,
		tail:  tailQuery,
		due:   dueQuery,
		sweep: "SELECT first, last, grew, news, more, kept FROM @schema@.editlock_sweep($1, $2, $3)",
		prune: "SELECT @schema@.editlock_prune($1)",
		cuts:  cutsQuery,
		beat:  "SELECT @schema@.editlock_beat($1, $2)",
		watch: "INSERT INTO @schema@.editlock_watcher AS w (id, expires) VALUES ($1, @schema@.editlock_now() + $2) " +
			"ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
	}
	for _, text := range []*string{
		&q.swap, &q.take, &q.drop, &q.get, &q.list, &q.log, &q.last, &q.ends, &q.tail, &q.due, &q.sweep, &q.prune, &q.cuts, &q.beat, &q.watch,
	} {
		*text = t.fill(*text)
	}
	return q
}

// parameters are the places of so many arguments.
func parameters(n int) string {
	places := make([]string, n)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(places, ", ")
}

// String names the store without its secrets.
func (s *Store) String() string {
	c := s.target.config.ConnConfig
	return fmt.Sprintf("postgres://%s:%d/%s, schema %s", c.Host, c.Port, c.Database, s.target.schema)
}
