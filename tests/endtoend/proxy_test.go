package endtoend

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a client and the server, and fails as networks do.
type proxy struct {
	address  string
	listener net.Listener
	to       string
	deaf     atomic.Bool // answers of the connections of now are swallowed

	mu    sync.Mutex
	conns []net.Conn
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), listener: l, to: to}
	t.Cleanup(p.close)
	go p.accept()
	return p
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		go func() {
			_, _ = io.Copy(out, in)
			_ = out.Close()
		}()
		go func() {
			_, _ = io.Copy(answers{p, in}, out)
			_ = in.Close()
		}()
	}
}

type answers struct {
	p  *proxy
	to io.Writer
}

func (a answers) Write(b []byte) (int, error) {
	if a.p.deaf.Load() {
		return len(b), nil
	}
	return a.to.Write(b)
}

// dropAnswers swallows what the server says from now on, until cut.
func (p *proxy) dropAnswers() { p.deaf.Store(true) }

// cut ends all connections; new ones work again.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
	p.deaf.Store(false)
}

// close cuts for good.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
}
