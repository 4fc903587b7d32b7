package etcd

import (
	"context"
	"maps"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// all is what the jobs, done now, speak of, known or not.
func (c *committer) all(jobs []*job, now int64) needs {
	names, requests, waits := map[string]bool{}, map[string]bool{}, map[string]bool{}
	n := needs{}
	for _, j := range jobs {
		switch {
		case j.swap != nil:
			if j.swap.ID != "" {
				requests[j.swap.ID] = true
			}
			for _, sw := range j.swap.Swaps {
				names[sw.Name] = true
				n.peers = n.peers || sw.Do == store.Join
			}
		case j.beat != nil:
			n.peers, waits[j.beat.peer] = true, true
			c.buried(j.beat.peer, now, names)
		default:
			n.peers = true
			for _, name := range j.sweep.names {
				names[name] = true
			}
			for _, peer := range j.sweep.peers {
				waits[peer] = true
				c.buried(peer, now, names)
			}
		}
	}
	n.peers = n.peers || c.view.head.Tickets > 0
	n.names, n.requests = slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(requests))
	n.waits = slices.Sorted(maps.Keys(waits))
	return n
}

// buried adds the names under which a peer, if it is dead, has tickets.
func (c *committer) buried(peer string, now int64, names map[string]bool) {
	if until, ok := c.view.peers[peer]; ok && now < until {
		return
	}
	for _, name := range c.view.waits[peer] {
		names[name] = true
	}
}

// missing is what must be read before the jobs can be done. What nobody has
// read yet but is probably free is guessed to be.
func (c *committer) missing(jobs []*job, now int64) needs {
	all := c.all(jobs, now)
	guess := c.guessable(jobs)
	n := needs{peers: all.peers && c.view.peers == nil}
	for _, name := range all.names {
		if _, ok := c.view.names[name]; !ok && !guess[name] {
			n.names = append(n.names, name)
		}
	}
	for _, peer := range all.waits {
		if _, ok := c.view.waits[peer]; !ok {
			n.waits = append(n.waits, peer)
		}
	}
	if unknown := c.unknown(all.requests); len(unknown)+len(guess)+4 > maxCompares {
		n.requests = unknown
	}
	return n
}

func (c *committer) unknown(requests []string) []string {
	return slices.DeleteFunc(slices.Clone(requests), func(id string) bool {
		_, ok := c.view.requests[id]
		return ok
	})
}

// guessable are the unknown names that jobs would take if they are free.
func (c *committer) guessable(jobs []*job) map[string]bool {
	guess := map[string]bool{}
	for _, j := range jobs {
		if j.swap == nil {
			continue
		}
		for _, sw := range j.swap.Swaps {
			if _, ok := c.view.names[sw.Name]; !ok && sw.Do == store.Take && sw.Expect.Free {
				guess[sw.Name] = true
			}
		}
	}
	if len(guess) > flat {
		clear(guess)
	}
	return guess
}

// guesses are the conditions under which the jobs were run: the head is as
// known, and what is not known is not there.
func (c *committer) guesses(jobs []*job, requests []string) []clientv3.Cmp {
	k := c.s.keys
	ifs := []clientv3.Cmp{
		clientv3.Compare(clientv3.ModRevision(k.head()), "=", c.view.rev),
		clientv3.Compare(clientv3.Value(k.head()), "=", c.view.raw),
	}
	for name := range c.guessable(jobs) {
		ifs = append(ifs, clientv3.Compare(clientv3.CreateRevision(k.name(name)).WithPrefix(), "=", 0))
	}
	for _, id := range c.unknown(requests) {
		ifs = append(ifs, clientv3.Compare(clientv3.CreateRevision(k.request(id)), "=", 0))
	}
	return ifs
}

const (
	// requestTTL is how long a lease for requests is granted for, in seconds,
	// and renewAfter how long it serves new ones: each is remembered for
	// store.RetryWindow at least.
	requestTTL = int64((store.RetryWindow + 2*renewAfter) / time.Second)
	renewAfter = 5 * time.Minute
)

// lease is the one that ends the requests of this step. Those of
// some minutes share it.
func (c *committer) lease(ctx context.Context) (clientv3.LeaseID, error) {
	now := c.s.clock.elapsed()
	if c.expires != 0 && now-c.granted < renewAfter.Microseconds() {
		return c.expires, nil
	}
	resp, err := c.s.leases.Grant(ctx, requestTTL)
	if err != nil {
		return 0, c.s.explain(ctx, err)
	}
	c.expires, c.granted = resp.ID, now
	return c.expires, nil
}
