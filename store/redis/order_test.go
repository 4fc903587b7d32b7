package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
)

// gate is a way to a server that can be closed, for what clients send on their
// older connections.
type gate struct {
	net.Listener
	mu    sync.Mutex
	newer bool          // connections from now on are not concerned
	open  chan struct{} // closed while the others may pass
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Listener: l, open: make(chan struct{})}
	close(g.open)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
			go g.pass(server, client)
		}
	}()
	return g
}

func (g *gate) pass(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	g.mu.Lock()
	free := g.newer
	g.mu.Unlock()
	data := make([]byte, 1<<16)
	for {
		n, err := from.Read(data)
		if err != nil {
			return
		}
		g.mu.Lock()
		wait := g.open
		g.mu.Unlock()
		if !free {
			<-wait
		}
		if _, err := to.Write(data[:n]); err != nil {
			return
		}
	}
}

// close closes the gate, and returns what opens it.
func (g *gate) close() (open func()) {
	shut := make(chan struct{})
	g.mu.Lock()
	g.open = shut
	g.mu.Unlock()
	return func() { close(shut) }
}

// TestSwap_LeaveBehindJoin has a caller give up a Join that is still on its
// way, and leave: the Leave must find what it cancels.
func TestSwap_LeaveBehindJoin(t *testing.T) {
	server := enginetest.StartRedis(t, "appendonly=no")
	direct := server.Store()
	at := strings.TrimPrefix(server.URL, "redis://")
	g := newGate(t, at)
	e, err := open(t.Context(), strings.Replace(direct, at, g.Addr().String(), 1), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	defer func() { _ = st.Close() }()
	swap := func(ctx context.Context, sw store.Op) error {
		_, err := st.Commit(ctx, store.Txn{Ops: []store.Op{sw}})
		return err
	}
	who := store.Party{Session: "ann"}
	take := store.Op{Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{}}
	if err := swap(t.Context(), take); err != nil {
		t.Fatal(err)
	}
	if _, err := st.KeepAlive(t.Context(), "peer", time.Minute); err != nil {
		t.Fatal(err)
	}

	e.lone.cut(false)
	g.mu.Lock()
	g.newer = true
	g.mu.Unlock()
	for range 3 { // who is alone gets a new connection, which passes
		e.lone.mu.Lock()
		e.lone.warm = true
		e.lone.mu.Unlock()
		if _, err := st.Get(t.Context(), "a", ""); err != nil {
			t.Fatal(err)
		}
	}
	open := g.close()
	ticket := &store.Waiter{ID: "t", Process: "peer"}
	e.calls.Add(1) // somebody else is busy, so the connection is shared
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := swap(ctx, store.Op{Name: "a", Do: store.Join, Waiter: ticket}); !errors.Is(err, context.Canceled) {
		t.Fatalf("the join has come to %v", err)
	}
	e.calls.Add(-1)
	time.AfterFunc(50*time.Millisecond, open)
	if err := swap(t.Context(), store.Op{Name: "a", Do: store.Leave, Waiter: ticket}); err != nil {
		t.Fatal(err)
	}
	e.calls.Add(1) // behind them on the shared connection
	defer e.calls.Add(-1)
	view, err := st.Get(t.Context(), "a", "")
	if err != nil || view.Record == nil || view.Record.Waiting != 0 {
		t.Errorf("there stands %+v, %v; want nobody waiting", view.Record, err)
	}
}
