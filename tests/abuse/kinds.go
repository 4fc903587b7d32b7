package abuse

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

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
	page = "GET /docs HTTP/1.1\r\nHost: localhost\r\n"
)

var kinds = [...]kind{
	{"says nothing", false, func(_ context.Context, c *Crowd, conn net.Conn) { c.listen(conn) }},
	{"sends a byte of the head a second", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		c.drip(ctx, conn, get+"X-Filler: "+strings.Repeat("a", 1000))
	}},
	{"never ends the head", false, func(_ context.Context, c *Crowd, conn net.Conn) { c.say(conn, get) }},
	{"sends a byte of the body a second", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		_, _ = io.WriteString(conn, post+c.authorization()+"Content-Length: 1000\r\n\r\n")
		c.drip(ctx, conn, strings.Repeat(" ", 1000))
	}},
	{"never ends the body", false, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, post+c.authorization()+"Content-Length: 1000\r\n\r\n{")
	}},
	{"has no credentials and never ends the body", false, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, post+"Content-Length: 1000\r\n\r\n{")
	}},
	{"never sends a body that nobody wants", false, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, page+"Content-Length: 1000\r\n\r\n")
	}},
	{"never reads its events", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n"+c.authorization()+"\r\n")
		<-ctx.Done()
	}},
	{"asks much and never reads", false, func(ctx context.Context, _ *Crowd, conn net.Conn) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = io.WriteString(conn, strings.Repeat(page+"\r\n", 1000))
		<-ctx.Done()
	}},
	{"waits for a mutex and vanishes", false, func(ctx context.Context, c *Crowd, conn net.Conn) {
		body := fmt.Sprintf(`{"mutex":{"group":"abuse","id":"%d"},"wait":"1m"}`, rand.IntN(10))
		_, _ = fmt.Fprintf(conn, "%s%sContent-Length: %d\r\n\r\n%s", post, c.authorization(), len(body), body)
		<-ctx.Done()
	}},
	{"connects and hangs up", true, func(context.Context, *Crowd, net.Conn) {}},
	{"sends garbage", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		noise := make([]byte, 1+rand.IntN(4096))
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		c.say(conn, string(noise)+"\r\n\r\n")
	}},
	{"sends a huge head", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, get+"X-Filler: "+strings.Repeat("a", 1<<20)+"\r\n\r\n")
	}},
	{"announces a huge body", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, post+c.authorization()+"Content-Length: 1099511627776\r\n\r\n"+strings.Repeat("[", 64<<10))
	}},
	{"sends a body without end", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		_, _ = io.WriteString(conn, post+c.authorization()+"Transfer-Encoding: chunked\r\n\r\n")
		chunk := "10000\r\n" + strings.Repeat("[", 0x10000) + "\r\n"
		c.say(conn, strings.Repeat(chunk, 16))
	}},
	{"has no credentials", true, func(_ context.Context, c *Crowd, conn net.Conn) { c.say(conn, get+"Connection: close\r\n\r\n") }},
	{"guesses keys", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		c.say(conn, fmt.Sprintf("%sAuthorization: Bearer elk_%010d_%064x\r\nConnection: close\r\n\r\n", get, rand.IntN(1e9), rand.Uint64()))
	}},
	{"calls more often than allowed", true, func(_ context.Context, c *Crowd, conn net.Conn) {
		one := "GET /v1/mutexes?group=abuse HTTP/1.1\r\nHost: localhost\r\n" + c.authorization()
		c.say(conn, strings.Repeat(one+"\r\n", 9)+one+"Connection: close\r\n\r\n")
	}},
}

func (c *Crowd) authorization() string { return "Authorization: Bearer " + c.Credential + "\r\n" }

// say sends a text and reads until the server has had enough.
func (c *Crowd) say(conn net.Conn, text string) {
	go func() { _, _ = io.WriteString(conn, text) }() // until once closes it
	c.listen(conn)
}

// listen reads until the server hangs up, and counts its answers.
func (c *Crowd) listen(conn net.Conn) { _, _ = io.Copy(&counter{answers: &c.answers}, conn) }

// drip sends a byte a second.
func (c *Crowd) drip(ctx context.Context, conn net.Conn, text string) {
	gone := make(chan struct{})
	go func() {
		c.listen(conn)
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
