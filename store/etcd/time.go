package etcd

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// readHead reads the head; rev is 0 if there is none.
func (s *Store) readHead(ctx context.Context) (rev int64, h head, term uint64, err error) {
	resp, err := s.kv.Get(ctx, s.keys.head())
	if err != nil {
		return 0, h, 0, s.explain(ctx, err)
	}
	rev, h, err = decodeHead(resp.Kvs)
	if errors.Is(err, errNoStore) {
		err = nil
	}
	return rev, h, resp.Header.RaftTerm, err
}

// setClock sets the clock by etcd's, and creates the store if there is none.
func (s *Store) setClock(ctx context.Context) error {
	rev, h, _, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	if rev == 0 {
		return s.create(ctx)
	}
	if s.clock.fixed != nil {
		return nil
	}
	a, err := s.measure(ctx, h.Lease)
	gone, lease := h.Lease, h.Lease
	if errors.Is(err, errNoClock) {
		lease, a, err = s.newLease(ctx, gone)
	}
	if err != nil {
		return s.explain(ctx, err)
	}
	waitUntil := s.clock.elapsed() + successor.Microseconds()
	for {
		if rev, h, _, err = s.readHead(ctx); err != nil {
			return err
		}
		zero, known := s.clock.reconcile(h, lease, a)
		from := h.Term
		switch {
		case rev == 0:
			return s.create(ctx)
		case h.Lease != lease && h.Lease != gone:
			return s.setClock(ctx) // another one has replaced the clock, and it counts
		case h.Lease == lease && h.Term == a.term && h.Zero == zero:
			s.clock.adopt(a, zero, from)
			return nil
		case !known && s.clock.elapsed() < waitUntil:
			// Somebody who was there when the leader changed may know better.
			if err := pause(ctx, successor/20); err != nil {
				return err
			}
			continue
		}
		h.Version, h.Lease, h.Term, h.Zero, h.Process, h.News = version, lease, a.term, zero, s.process, nil
		done, err := s.putHead(ctx, rev, h)
		if err != nil {
			return err
		}
		if done {
			s.clock.adopt(a, zero, from)
			return nil
		}
	}
}

// create makes the first head, unless somebody else does.
func (s *Store) create(ctx context.Context) error {
	h := head{Version: version, Process: s.process, Named: 1}
	if s.clock.fixed != nil {
		h.At = s.clock.now(h)
		_, err := s.putHead(ctx, 0, h)
		return err
	}
	lease, a, err := s.newLease(ctx, 0)
	if err != nil {
		return err
	}
	h.At, h.Lease, h.Term = wall(), lease, a.term
	h.Zero = h.At - (s.clock.elapsed() - a.origin)
	done, err := s.putHead(ctx, 0, h)
	if err != nil {
		return err
	}
	if !done {
		return s.setClock(ctx)
	}
	s.clock.adopt(a, h.Zero, h.Term)
	return nil
}

// measure finds out how old a lease is, whoever leads.
func (s *Store) measure(ctx context.Context, lease int64) (a age, err error) {
	a, err = s.clock.measure(ctx, lease)
	for errors.Is(err, errNewLeader) {
		a, err = s.clock.measure(ctx, lease)
	}
	return a, err
}

// newLease makes a lease to tell the time by, after the one that is gone (0:
// for a new store). Its ID follows from the store and that one, so whoever
// needs it, also after a process that died half-way, makes or finds the same:
// none is left behind. Its age is measured like any other's: the grant itself
// may have taken long.
func (s *Store) newLease(ctx context.Context, gone int64) (int64, age, error) {
	id := leaseID(s.keys, gone)
	if err := s.grant(ctx, id, clockTTL); err != nil && !errors.Is(err, rpctypes.ErrLeaseExist) {
		return 0, age{}, s.explain(ctx, err)
	}
	a, err := s.measure(ctx, id)
	if err != nil {
		return 0, age{}, s.explain(ctx, err)
	}
	return id, a, nil
}

// leaseID is a positive number that no other store's lease has, but by an
// accident in 2^63.
func leaseID(k keys, gone int64) int64 {
	sum := sha256.Sum256([]byte(part(string(k)) + strconv.FormatInt(gone, 16)))
	return int64(binary.BigEndian.Uint64(sum[:])>>1) | 1
}

// granter makes leases with an ID of one's choice.
func granter(c *clientv3.Client) func(ctx context.Context, id, ttl int64) error {
	leases := clientv3.RetryLeaseClient(c)
	return func(ctx context.Context, id, ttl int64) error {
		_, err := leases.LeaseGrant(ctx, &etcdserverpb.LeaseGrantRequest{ID: id, TTL: ttl})
		return clientv3.ContextError(ctx, err)
	}
}

// putHead replaces the head of a revision; 0: none.
func (s *Store) putHead(ctx context.Context, rev int64, h head) (done bool, err error) {
	resp, err := s.kv.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(s.keys.head()), "=", rev)).
		Then(clientv3.OpPut(s.keys.head(), encode(h))).Commit()
	if err != nil {
		return false, s.explain(ctx, err)
	}
	return resp.Succeeded, nil
}

// keepTime sets the clock every minute, and when etcd's leader has changed.
func (s *Store) keepTime() {
	tick := time.NewTicker(setEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit.Done():
			return
		case <-tick.C:
		case <-s.clock.wrong:
		}
		ctx, cancel := context.WithTimeout(s.quit, openWithin)
		err := s.setClock(ctx)
		cancel()
		if err != nil && pause(s.quit, retryPause) == nil {
			s.clock.setSoon()
		}
	}
}

// pause waits, or fails with the error of the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// enter begins a read.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.quit.Err() != nil {
		return store.ErrClosed
	}
	return nil
}
