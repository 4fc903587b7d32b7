// Package abuse is a crowd of clients that no server wants: slow ones, ones
// that vanish without a word, floods and garbage. Tests and benchmarks let it
// loose on a server, and look at how the others fare.
package abuse

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
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
	// Each is how many connections each kind keeps up. 0 means 10.
	Each int
	// Floods is how many requests each kind of flood sends a second. 0 means
	// 100.
	Floods int

	begin sync.Once
	tries []atomic.Uint64 // by kind
}

// kind is one way to misbehave.
type kind struct {
	name string
	// paced says that it comes by connections a second, as floods do.
	paced bool
	// act misbehaves on one connection, until it is cut or ctx ends, which
	// closes it.
	act func(ctx context.Context, c *Crowd, conn net.Conn)
}

const (
	get  = "GET /v1/mutexes HTTP/1.1\r\nHost: localhost\r\n"
	post = "POST /v1/capture HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)

var kinds = [...]kind{
	{"says nothing", false, func(_ context.Context, _ *Crowd, conn net.Conn) { listen(conn) }},
	{"sends a byte of the head a second", false, func(ctx context.Context, _ *Crowd, conn net.Conn) {
		drip(ctx, conn, get+"X-Filler: "+strings.Repeat("a", 1000))
	}},
	{"never ends the head", false, func(_ context.Context, _ *Crowd, conn net.Conn) { say(conn, get) }},
	{"sends a byte of the body a second", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		_, _ = io.WriteString(conn, post+c.authorization()+"Content-Length: 1000\r\n\r\n")
		drip(ctx, conn, strings.Repeat(" ", 1000))
	}},
	{"never ends the body", false, func(_ context.Context, c *Crowd, conn net.Conn) {
		say(conn, post+c.authorization()+"Content-Length: 1000\r\n\r\n{")
	}},
	{"never reads its events", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n"+c.authorization()+"\r\n")
		<-ctx.Done()
	}},
	{"asks much and never reads", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		one := "GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
		_, _ = io.WriteString(conn, strings.Repeat(one, 1000))
		<-ctx.Done()
	}},
	{"waits for a mutex and vanishes", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		body := fmt.Sprintf(`{"mutex":{"group":"abuse","id":"%d"},"wait":"1m"}`, rand.IntN(10))
		_, _ = fmt.Fprintf(conn, "%s%sContent-Length: %d\r\n\r\n%s", post, c.authorization(), len(body), body)
		<-ctx.Done()
	}},
	{"connects and hangs up", true, func(context.Context, *Crowd, net.Conn) {}},
	{"sends garbage", true, func(_ context.Context, _ *Crowd, conn net.Conn) {
		noise := make([]byte, 1+rand.IntN(4096))
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		say(conn, string(noise)+"\r\n\r\n")
	}},
	{"sends a huge head", true, func(_ context.Context, _ *Crowd, conn net.Conn) {
		say(conn, get+"X-Filler: "+strings.Repeat("a", 1<<20)+"\r\n\r\n")
	}},
	{"announces a huge body", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		say(conn, post+c.authorization()+"Content-Length: 1099511627776\r\n\r\n"+strings.Repeat("[", 64<<10))
	}},
	{"sends a body without end", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		_, _ = io.WriteString(conn, post+c.authorization()+"Transfer-Encoding: chunked\r\n\r\n")
		chunk := "10000\r\n" + strings.Repeat("[", 0x10000) + "\r\n"
		say(conn, strings.Repeat(chunk, 16))
	}},
	{"has no credentials", true, func(_ context.Context, _ *Crowd, conn net.Conn) { say(conn, get+"Connection: close\r\n\r\n") }},
	{"guesses keys", true, func(_ context.Context, _ *Crowd, conn net.Conn) {
		say(conn, fmt.Sprintf("%sAuthorization: Bearer elk_%010d_%064x\r\nConnection: close\r\n\r\n", get, rand.IntN(1e9), rand.Uint64()))
	}},
	{"calls more often than he may", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		one := "GET /v1/mutexes?group=abuse HTTP/1.1\r\nHost: localhost\r\n" + c.authorization()
		say(conn, strings.Repeat(one+"\r\n", 9)+one+"Connection: close\r\n\r\n")
	}},
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

// flood begins connections at a pace; those that last don't hold it up, but
// there are never more than it opens in a second.
func (c *Crowd) flood(ctx context.Context, kind int) {
	var open sync.WaitGroup
	defer open.Wait()
	room := make(chan struct{}, c.Floods)
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

func (c *Crowd) authorization() string { return "Authorization: Bearer " + c.Credential + "\r\n" }

// say sends a text and reads until the server has had enough.
func say(conn net.Conn, text string) {
	go func() { _, _ = io.WriteString(conn, text) }() // until once closes it
	listen(conn)
}

func listen(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// drip sends a byte a second.
func drip(ctx context.Context, conn net.Conn, text string) {
	gone := make(chan struct{})
	go func() {
		listen(conn)
		close(gone)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range text {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case <-tick.C:
		}
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
