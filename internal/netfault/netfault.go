// Package netfault is a network that fails, for tests: a TCP proxy on loopback
// that cuts connections before a request arrives or before its answer does,
// delays what passes, or swallows everything without a word.
package netfault

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Faults is how a network fails. The zero Faults is a healthy one.
type Faults struct {
	// CutBefore is the chance, from 0 to 1, that a connection is cut when it
	// carries a request, which then never arrives: for a database, before the
	// commit.
	CutBefore float64
	// CutAfter is the chance that a request arrives and its connection is cut
	// when the answer comes, which is then lost: after the commit.
	CutAfter float64
	// Every message is delayed by a random time between the two, each way.
	MinDelay, MaxDelay time.Duration
	// BlackHole accepts connections and keeps them, and lets nothing pass.
	// As in a network whose cable is out, what was sent arrives late: when
	// the black hole ends.
	BlackHole bool
}

// Proxy passes connections on to a server, and fails as it is told. It is safe
// for concurrent use.
type Proxy struct {
	// Address is HOST:PORT, on loopback.
	Address string

	listener net.Listener
	to       string
	running  sync.WaitGroup
	trips    atomic.Int64

	mu      sync.Mutex
	faults  Faults
	changed chan struct{} // closed when faults change
	conns   map[*connection]bool
	closed  bool
}

// Start starts a healthy proxy to the server at HOST:PORT, which need not run
// yet. It ends with the test.
func Start(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Address: l.Addr().String(), listener: l, to: to,
		changed: make(chan struct{}), conns: map[*connection]bool{},
	}
	t.Cleanup(p.close)
	p.running.Go(p.accept)
	return p
}

// Set makes the network fail so from now on, old connections too.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
}

// Heal ends all faults: connections that were not cut go on.
func (p *Proxy) Heal() { p.Set(Faults{}) }

// Trips is how often a client has spoken first, or after an answer: the round
// trips of all connections, where each waits for its answer before it asks again.
func (p *Proxy) Trips() int { return int(p.trips.Load()) }

// Cut ends all connections of now. New ones are as Set says.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.cut()
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		c := &connection{proxy: p, client: conn, gone: make(chan struct{})}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			_ = conn.Close()
			return
		}
		p.conns[c] = true
		p.mu.Unlock()
		p.running.Go(c.run)
	}
}

// state is how the network fails now, and a channel that is closed when that
// changes.
func (p *Proxy) state() (Faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

// connection is one client's, and the one to the server that it is passed to.
type connection struct {
	proxy  *Proxy
	client net.Conn
	server net.Conn

	once   sync.Once
	gone   chan struct{} // closed when the connection is cut
	mu     sync.Mutex
	doomed bool // cut at the next answer
	asked  bool // and not answered yet
}

func (c *connection) run() {
	defer func() {
		c.cut()
		c.proxy.mu.Lock()
		delete(c.proxy.conns, c)
		c.proxy.mu.Unlock()
	}()
	if !c.pass() {
		return
	}
	var err error
	if c.server, err = new(net.Dialer).DialContext(context.Background(), "tcp", c.proxy.to); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.copy(c.server, c.client, c.request) })
	both.Go(func() { c.copy(c.client, c.server, c.answer) })
	<-c.gone
	_ = c.server.Close()
	both.Wait()
}

// cut ends the connection, with a reset as routers do it.
func (c *connection) cut() {
	c.once.Do(func() {
		if tcp, ok := c.client.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.client.Close()
		close(c.gone)
	})
}

// copy passes on what meet lets pass, until one side ends the connection.
func (c *connection) copy(to, from net.Conn, meet func(Faults) bool) {
	defer c.cut()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !c.pass() {
				return
			}
			if faults, _ := c.proxy.state(); !meet(faults) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			c.pass() // nor does the end pass a black hole
			return
		}
	}
}

// pass waits until a message gets through: false if the connection is cut
// first.
func (c *connection) pass() bool {
	faults, changed := c.proxy.state()
	for faults.BlackHole {
		select {
		case <-c.gone:
			return false
		case <-changed:
		}
		faults, changed = c.proxy.state()
	}
	if faults.MaxDelay <= 0 {
		return true
	}
	select {
	case <-c.gone:
		return false
	case <-time.After(faults.MinDelay + rand.N(faults.MaxDelay-faults.MinDelay+1)):
		return true
	}
}

// request lets one pass, or not.
func (c *connection) request(f Faults) bool {
	c.mu.Lock()
	if !c.asked {
		c.proxy.trips.Add(1)
	}
	c.asked = true
	c.mu.Unlock()
	if rand.Float64() < f.CutBefore {
		return false
	}
	if rand.Float64() < f.CutAfter {
		c.mu.Lock()
		c.doomed = true
		c.mu.Unlock()
	}
	return true
}

// answer lets one pass unless the request was doomed to get none.
func (c *connection) answer(Faults) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = false
	return !c.doomed
}
