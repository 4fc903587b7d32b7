package endtoend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/internal/enginetest"
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "editlock-endtoend-")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	enginetest.RunMoreAtOnce(8) // most wait for leases to end
	if binary, err = enginetest.BuildEditlock(dir, "editlock"); err != nil {
		log.Fatal(err)
	}
	return m.Run()
}

// server is an editlock process that can be killed and started again, on the
// same address and store.
type server struct {
	t       *testing.T
	address string
	store   string
	cmd     *exec.Cmd
}

func startServer(t *testing.T, store string) *server {
	t.Helper()
	s := &server{t: t, address: enginetest.Address(enginetest.FreePort(t)), store: store}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// start returns once the server says that it listens.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(binary, "serve", "--listen", s.address, "--store", s.store)
	said := &tail{}
	s.cmd.Stderr = said
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), s.address) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	_ = s.cmd.Wait()
	s.t.Fatalf("the server ended before it listened: %s", said)
}

// kill is kill -9.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// stop lets the server end as an update does.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server, asked to end: %v", err)
	}
	s.cmd = nil
}

func (s *server) restart() {
	s.t.Helper()
	s.kill()
	s.start()
}

func (s *server) url() string { return "http://" + s.address }

// tail keeps what a process says, for the case that it fails.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func as(ctx context.Context, name string) context.Context {
	return editlock.WithOwner(ctx, editlock.Owner{Session: "session-" + name, UserID: name, Name: name})
}

// patience bounds what a test waits for. It says nothing about speed.
const patience = time.Minute

// eventually waits for something that another process brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

// waiting counts who waits for a mutex; 0 while the server is away.
func waiting(ctx context.Context, l editlock.Locker, id editlock.ID) int {
	_, m, err := l.Request(ctx, id)
	if err != nil {
		return 0
	}
	return m.Waiting
}

// grant is what a waiter got.
type grant struct {
	who   string
	mutex editlock.Mutex
	err   error
}

// queueUp starts a wait and returns when it is in the queue, as number place.
func queueUp(t *testing.T, l, look editlock.Locker, id editlock.ID, who string, place int, grants chan<- grant) {
	t.Helper()
	queueUpFor(t, l, look, id, who, place, editlock.CaptureOptions{}, grants)
}

func queueUpFor(
	t *testing.T, l, look editlock.Locker, id editlock.ID, who string, place int, opts editlock.CaptureOptions, grants chan<- grant,
) {
	t.Helper()
	opts.Wait = time.Minute
	go func() {
		m, err := l.Capture(as(t.Context(), who), id, &opts)
		grants <- grant{who, m, err}
	}()
	eventually(t, who+" waits", func() bool { return waiting(t.Context(), look, id) == place })
}

func receive(t *testing.T, grants <-chan grant) grant {
	t.Helper()
	select {
	case g := <-grants:
		if g.err != nil && !errors.Is(g.err, context.Canceled) {
			t.Fatalf("%s waited too long: %v", g.who, g.err)
		}
		return g
	case <-time.After(patience):
		t.Fatalf("nobody was granted the mutex within %v", patience)
		return grant{}
	}
}
