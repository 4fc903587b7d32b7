package etcd

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// version is that of the keys and values. An editlock that knows another one
// leaves the store alone.
const version = 2

// head is the value that says how the store tells the time. Every batch
// compares it. Times are microseconds since 1970.
type head struct {
	Version int    `json:"version"`
	Lease   int64  `json:"lease,omitempty"` // whose age tells the time
	Term    uint64 `json:"term,omitempty"`  // of the leader that counts the lease's age
	Zero    int64  `json:"zero,omitempty"`  // the store's time when that age was 0

	At int64 `json:"-"` // the store's time at the last batch: see step
}

// decodeHead reads the head; without one there is no store.
func decodeHead(kvs []*mvccpb.KeyValue) (raw string, h head, err error) {
	if len(kvs) == 0 {
		return "", h, errNoStore
	}
	if err := json.Unmarshal(kvs[0].Value, &h); err != nil {
		return "", h, fmt.Errorf("etcd: %s: not written by editlock: %w", kvs[0].Key, err)
	}
	if err := checkVersion(h.Version); err != nil {
		return "", h, err
	}
	return string(kvs[0].Value), h, nil
}

// checkVersion says what to do with a store of another version.
func checkVersion(v int) error {
	switch {
	case v > version:
		return fmt.Errorf("etcd: the store has version %d, this editlock knows version %d: use a newer editlock; nothing was changed", v, version)
	case v < version:
		return fmt.Errorf("etcd: the store has version %d, that of an older editlock, this one knows version %d: "+
			"give the URL another prefix, or delete the keys under this one; the older editlock's history --json writes out the history; nothing was changed", v, version)
	}
	return nil
}

// readHead reads the head; raw is empty if there is none.
func (e *engine) readHead(ctx context.Context) (raw string, h head, err error) {
	resp, err := e.txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{get(e.keys.head()), get(e.keys.time())}})
	if err != nil {
		return "", h, err
	}
	got := ranges(resp.Responses)
	raw, h, err = decodeHead(got[0].Kvs)
	if errors.Is(err, errNoStore) {
		err = nil
	}
	h.At = e.passed(got[1])
	if raw != "" && err == nil {
		e.setHead(h, raw)
	}
	return raw, h, err
}

// setClock sets the clock by etcd's, and creates the store if there is none.
func (e *engine) setClock(ctx context.Context) error {
	raw, h, err := e.readHead(ctx)
	if err != nil {
		return err
	}
	if raw == "" {
		return e.create(ctx)
	}
	if e.clock.fixed != nil {
		return nil
	}
	a, err := e.measure(ctx, h.Lease)
	gone, lease := h.Lease, h.Lease
	if errors.Is(err, errNoClock) {
		lease, a, err = e.newLease(ctx, gone)
	}
	if err != nil {
		return e.explain(ctx, err)
	}
	waitUntil := e.clock.elapsed() + successor.Microseconds()
	for {
		if raw, h, err = e.readHead(ctx); err != nil {
			return err
		}
		zero, known := e.clock.reconcile(h, lease, a)
		from := h.Term
		switch {
		case raw == "":
			return e.create(ctx)
		case h.Lease != lease && h.Lease != gone:
			return e.setClock(ctx) // another one has replaced the clock, and it counts
		case h.Lease == lease && h.Term == a.term && h.Zero == zero:
			e.clock.adopt(a, zero, from)
			return nil
		case !known && e.clock.elapsed() < waitUntil:
			// Somebody who was there when the leader changed may know better.
			if err := pause(ctx, successor/20); err != nil {
				return err
			}
			continue
		}
		h.Version, h.Lease, h.Term, h.Zero = version, lease, a.term, zero
		done, err := e.putHead(ctx, raw, h)
		if err != nil {
			return err
		}
		if done {
			e.clock.adopt(a, zero, from)
			return nil
		}
	}
}

// create makes the first head, unless somebody else does.
func (e *engine) create(ctx context.Context) error {
	h := head{Version: version}
	if e.clock.fixed != nil {
		h.At = e.clock.now(h)
		_, err := e.putHead(ctx, "", h)
		return err
	}
	lease, a, err := e.newLease(ctx, 0)
	if err != nil {
		return err
	}
	h.At, h.Lease, h.Term = wall(), lease, a.term
	h.Zero = h.At - (e.clock.elapsed() - a.origin)
	done, err := e.putHead(ctx, "", h)
	if err != nil {
		return err
	}
	if !done {
		return e.setClock(ctx)
	}
	e.clock.adopt(a, h.Zero, h.Term)
	return nil
}

// measure finds out how old a lease is, under any leader.
func (e *engine) measure(ctx context.Context, lease int64) (a age, err error) {
	a, err = e.clock.measure(ctx, lease)
	for errors.Is(err, errNewLeader) {
		a, err = e.clock.measure(ctx, lease)
	}
	return a, err
}

// newLease makes a lease to tell the time by, after the one that is gone (0:
// for a new store). Its ID follows from the store and that one, so processes that
// need it, also after one that died half-way, make or find the same:
// none is left behind. Its age is measured like any other's: the grant itself
// may have taken long.
func (e *engine) newLease(ctx context.Context, gone int64) (int64, age, error) {
	id := leaseID(e.keys, gone)
	if err := e.grant(ctx, id, clockTTL); err != nil && !errors.Is(err, rpctypes.ErrLeaseExist) {
		return 0, age{}, e.explain(ctx, err)
	}
	a, err := e.measure(ctx, id)
	if err != nil {
		return 0, age{}, e.explain(ctx, err)
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
		_, err := leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: id, TTL: ttl})
		return clientv3.ContextError(ctx, err)
	}
}

// putHead replaces a head; empty: there is none, and the store begins.
func (e *engine) putHead(ctx context.Context, was string, h head) (done bool, err error) {
	text, _ := json.Marshal(h) // numbers: can't fail
	raw, k := string(text), e.keys
	req := &pb.TxnRequest{Compare: []*pb.Compare{is(k.head(), was)}, Success: []*pb.RequestOp{put(k.head(), raw)}}
	if was == "" {
		req.Compare[0] = absent(k.head())
		req.Success = append(req.Success, put(k.time(), number(uint64(h.At))), put(k.step(), number(0)+news{process: e.process}.encode()))
	}
	resp, err := e.txn(ctx, req)
	if err != nil || !resp.Succeeded {
		return false, err
	}
	e.setHead(h, raw)
	return true, nil
}

// keepTime sets the clock every minute, and when etcd's leader has changed.
func (e *engine) keepTime() {
	tick := time.NewTicker(setEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.quit.Done():
			return
		case <-tick.C:
		case <-e.clock.wrong:
		}
		ctx, cancel := context.WithTimeout(e.quit, openWithin)
		err := e.setClock(ctx)
		cancel()
		if err != nil && pause(e.quit, retryPause) == nil {
			e.clock.setSoon()
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
