package netfault

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// echo is a server that answers each byte with itself, and counts them.
type echo struct {
	address string
	got     atomic.Int64
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	e := &echo{address: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				var b [1]byte
				for {
					if _, err := conn.Read(b[:]); err != nil {
						return
					}
					e.got.Add(1)
					if _, err := conn.Write(b[:]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return e
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends one byte and reads the answer, for so long.
func ask(conn net.Conn, within time.Duration) error {
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	return listen(conn, within)
}

func listen(conn net.Conn, within time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(within))
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

const (
	patience = 10 * time.Second      // for what must come
	moment   = 50 * time.Millisecond // for what must not
)

func TestProxy(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, p *Proxy, e *echo)
	}{
		{"a healthy network passes everything", func(t *testing.T, p *Proxy, _ *echo) {
			conn := dial(t, p.Address)
			for range 100 {
				if err := ask(conn, patience); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"cut before, the request never arrives", func(t *testing.T, p *Proxy, e *echo) {
			conn := dial(t, p.Address)
			p.Set(Faults{CutBefore: 1})
			if err := ask(conn, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is not cut: %v", err)
			}
			if n := e.got.Load(); n != 0 {
				t.Errorf("the server got %d requests", n)
			}
		}},
		{"cut after, the request arrives and the answer does not", func(t *testing.T, p *Proxy, e *echo) {
			conn := dial(t, p.Address)
			p.Set(Faults{CutAfter: 1})
			if err := ask(conn, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is not cut: %v", err)
			}
			if n := e.got.Load(); n != 1 {
				t.Errorf("the server got %d requests, not 1", n)
			}
		}},
		{"latency delays each way", func(t *testing.T, p *Proxy, _ *echo) {
			conn := dial(t, p.Address)
			p.Set(Faults{MinDelay: 10 * time.Millisecond, MaxDelay: 20 * time.Millisecond})
			start := time.Now()
			if err := ask(conn, patience); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < 20*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		}},
		{"a black hole keeps connections and says nothing, and delivers when it ends", func(t *testing.T, p *Proxy, e *echo) {
			old := dial(t, p.Address)
			if err := ask(old, patience); err != nil {
				t.Fatal(err)
			}
			p.Set(Faults{BlackHole: true})
			for _, conn := range []net.Conn{old, dial(t, p.Address)} {
				if err := ask(conn, moment); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("it answers or is cut: %v", err)
				}
			}
			if n := e.got.Load(); n != 1 {
				t.Errorf("the server got %d requests, not 1", n)
			}
			p.Heal()
			if err := listen(old, patience); err != nil {
				t.Errorf("after the black hole: %v", err)
			}
		}},
		{"all connections are cut at once, and new ones work", func(t *testing.T, p *Proxy, _ *echo) {
			conn := dial(t, p.Address)
			if err := ask(conn, patience); err != nil {
				t.Fatal(err)
			}
			p.Cut()
			if err := listen(conn, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection is not cut: %v", err)
			}
			if err := ask(dial(t, p.Address), patience); err != nil {
				t.Errorf("a new connection: %v", err)
			}
		}},
		{"a black hole ends with the test", func(t *testing.T, p *Proxy, _ *echo) {
			dial(t, p.Address)
			p.Set(Faults{BlackHole: true})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := startEcho(t)
			test.run(t, Start(t, e.address), e)
		})
	}
}

func TestProxy_CountsRoundTrips(t *testing.T) {
	e := startEcho(t)
	p := Start(t, e.address)
	for range 2 {
		conn := dial(t, p.Address)
		for _, message := range []string{"a", "bcd", "e"} {
			if _, err := io.WriteString(conn, message); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, len(message))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := p.Trips(); n != 6 {
		t.Errorf("counted %d round trips, want 6", n)
	}
}
