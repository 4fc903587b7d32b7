package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// lone serves calls that come one at a time. A shared connection hands each
// call to a goroutine that writes and gets it from one that reads, which is
// what carries many callers at once, but costs one alone half as much again
// as a round trip takes. So a lone caller writes and reads directly, on a
// connection of its own, which is cut if the context ends meanwhile.
type lone struct {
	client rueidis.Client
	idle   *time.Timer

	mu    sync.Mutex
	warm  bool // somebody was here a moment ago
	used  bool // somebody is here
	conns map[net.Conn]bool
}

// cold is how long after the last call the connection is given up: it would
// not be noticed that the server closed it.
const cold = time.Second

func newLone(opt rueidis.ClientOption) (*lone, error) {
	l := &lone{conns: make(map[net.Conn]bool)}
	opt.DisableAutoPipelining = true
	opt.DialCtxFn = l.dial
	var err error
	if l.client, err = rueidis.NewClient(opt); err != nil {
		return nil, err
	}
	l.idle = time.AfterFunc(cold, func() { l.cut(false) })
	return l, nil
}

func (l *lone) dial(ctx context.Context, to string, d *net.Dialer, config *tls.Config) (conn net.Conn, err error) {
	if config != nil {
		conn, err = (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", to)
	} else {
		conn, err = d.DialContext(ctx, "tcp", to)
	}
	if err != nil {
		return nil, err
	}
	conn = &tracked{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = true
	return conn, nil
}

// tracked is a connection that is known while it is open.
type tracked struct {
	net.Conn
	l *lone
}

// errGiven is that of a write to a connection that was given up before: nothing
// was sent.
var errGiven = errors.New("redis: the connection was given up")

func (c *tracked) Write(p []byte) (int, error) {
	c.l.mu.Lock()
	open := c.l.conns[c]
	c.l.mu.Unlock()
	if !open {
		return 0, errGiven
	}
	return c.Conn.Write(p)
}

func (c *tracked) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

// do makes a call for somebody who is alone, unless nobody was here for a
// while: who comes now and then uses the shared connection.
func (l *lone) do(ctx context.Context, call func(rueidis.Client) rueidis.RedisResult) (res rueidis.RedisResult, ok bool) {
	l.mu.Lock()
	warm := l.warm
	l.warm, l.used = true, warm
	l.mu.Unlock()
	if !warm {
		l.idle.Reset(cold)
		return res, false
	}
	defer l.leave()
	if ctx.Done() == nil {
		res = call(l.client)
	} else {
		cut := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			l.cut(true)
			close(cut)
		})
		res = call(l.client)
		if !stop() {
			<-cut // or it would cut the next one's
		}
	}
	return res, !errors.Is(res.Error(), errGiven)
}

// cut closes the open connections. Without used it leaves them open while a
// call uses them; with used, that call gets an error.
func (l *lone) cut(used bool) {
	l.mu.Lock()
	if l.used && !used {
		l.mu.Unlock()
		return
	}
	conns := l.conns
	l.conns, l.warm = make(map[net.Conn]bool), used
	l.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
}

func (l *lone) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle.Reset(cold)
	l.used = false
}

func (l *lone) close() {
	l.idle.Stop()
	l.client.Close()
}
