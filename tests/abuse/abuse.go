// Package abuse is a crowd of clients that no server wants: slow ones, ones
// that vanish without a word, floods and garbage. Tests and benchmarks let it
// loose on a server, and look at how the others fare.
package abuse

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Crowd is who does all of that to one server.
type Crowd struct {
	// Address is the server's, HOST:PORT, without TLS.
	Address string
	// Credential is the token of those who are known and behave badly all the
	// same. It needs the rights read and use in the group "abuse".
	Credential string
	// Each is how many connections each kind that lasts keeps up. 0 means 10.
	Each int
	// Floods is how many connections each kind of flood opens a second: with
	// one request, or ten of a caller who calls more often than allowed. 0 means 100.
	Floods int

	begin   sync.Once
	tries   []atomic.Uint64 // by kind
	answers [600]atomic.Uint64
}

// Size is how many kinds last, and how many are floods.
func Size() (lasting, floods int) {
	for _, k := range kinds {
		if k.paced {
			floods++
		}
	}
	return len(kinds) - floods, floods
}

// Run misbehaves in all ways until ctx ends. It may be called again.
func (c *Crowd) Run(ctx context.Context) {
	c.begin.Do(func() { c.tries = make([]atomic.Uint64, len(kinds)) })
	if c.Each == 0 {
		c.Each = 10
	}
	if c.Floods == 0 {
		c.Floods = 100
	}
	var all sync.WaitGroup
	for i, k := range kinds {
		if k.paced {
			all.Go(func() { c.flood(ctx, i) })
			continue
		}
		for range c.Each {
			all.Go(func() {
				for ctx.Err() == nil {
					c.once(ctx, i)
					rest(ctx, 100*time.Millisecond)
				}
			})
		}
	}
	all.Wait()
}

// Tries is how often each kind has connected, by what it does, once Run has
// returned.
func (c *Crowd) Tries() map[string]uint64 {
	out := make(map[string]uint64, len(kinds))
	for i, k := range kinds {
		out[k.name] = c.tries[i].Load()
	}
	return out
}

// Answers is how many answers were read so far, by status. Not all are read.
func (c *Crowd) Answers() map[int]uint64 {
	out := make(map[int]uint64)
	for status := range c.answers {
		if n := c.answers[status].Load(); n > 0 {
			out[status] = n
		}
	}
	return out
}

// flood begins connections at a pace; those that last don't hold it up, but
// there are never more than it opens in a second.
func (c *Crowd) flood(ctx context.Context, kind int) {
	var open sync.WaitGroup
	defer open.Wait()
	room := make(chan struct{}, c.Floods)
	rest(ctx, rand.N(time.Second/time.Duration(c.Floods))) // floods know nothing of each other
	pace := time.NewTicker(time.Second / time.Duration(c.Floods))
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		select {
		case room <- struct{}{}:
			open.Go(func() {
				c.once(ctx, kind)
				<-room
			})
		default:
		}
	}
}

// once misbehaves on one connection.
func (c *Crowd) once(ctx context.Context, kind int) {
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", c.Address)
	if err != nil {
		return
	}
	c.tries[kind].Add(1)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	kinds[kind].act(ctx, c, conn)
	_ = conn.Close()
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
