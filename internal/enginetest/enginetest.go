// Package enginetest starts real database servers for tests: each on loopback,
// on a free port, with its data in a temporary folder, stopped by its process
// ID when the test ends. A variable such as EDITLOCK_TEST_POSTGRES_URL names
// a server to use instead. A missing server program fails the test: a suite
// that is silently left out proves nothing.
package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// TB is what servers need of a testing.TB, so that benchmarks outside of tests
// can start them too.
type TB interface {
	Helper()
	Error(args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
	Context() context.Context
}

// Program finds a server's program on the PATH or in one of the folders, which
// may hold patterns; the last match (the newest version) wins.
func Program(t TB, name string, folders ...string) string {
	t.Helper()
	var found []string
	for _, folder := range folders {
		more, _ := filepath.Glob(filepath.Join(folder, name))
		found = append(found, more...)
	}
	if len(found) > 0 {
		return slices.Max(found)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed (make setup installs it, or name a running server in the environment): %v", name, err)
	}
	return path
}

// Systems give ports from 32768 on (Linux) to outgoing connections, and so might
// take one that a server is about to listen on.
const firstPort, endPort = 10_000, 32_000

// FreePort is a loopback port that no server listens on right now, that no outgoing
// connection is given, and that no other test is given until t ends, in whatever
// process: a server may listen on it much later.
func FreePort(t TB) int {
	t.Helper()
	for try := 1; ; try++ {
		port := firstPort + 2*rand.N((endPort-firstPort)/2)
		end, err := reserve(port)
		if err == nil {
			t.Cleanup(end)
			return port
		}
		if try == 100 {
			t.Fatal(err)
		}
	}
}

// reserved are the listeners that reserve ports: one that is forgotten is closed.
var reserved sync.Map

// reserve reserves a free port: it listens on the next one, which is nobody's.
func reserve(port int) (end func(), err error) {
	var config net.ListenConfig
	mark, err := config.Listen(context.Background(), "tcp", Address(port+1))
	if err != nil {
		return nil, err
	}
	end = func() {
		reserved.Delete(mark)
		_ = mark.Close()
	}
	l, err := config.Listen(context.Background(), "tcp", Address(port))
	if err != nil {
		end()
		return nil, err
	}
	_ = l.Close()
	reserved.Store(mark, true)
	return end, nil
}

// Address is the loopback address with a port.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Process is a server that runs, and can be stopped, continued, killed and
// started again on the same data and port.
type Process struct {
	t     TB
	make  func() *exec.Cmd
	ready func() error
	log   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start runs the command that newCommand makes, waits until ready reports no
// error, and kills it when the test ends. Its output is shown if it doesn't
// start.
func Start(t TB, newCommand func() *exec.Cmd, ready func() error) *Process {
	t.Helper()
	p := &Process{t: t, make: newCommand, ready: ready, log: filepath.Join(t.TempDir(), "output")}
	t.Cleanup(p.Kill)
	p.Start()
	return p
}

// Start starts the server, after Kill, and waits until it is ready.
func (p *Process) Start() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd, ended := p.make(), make(chan struct{})
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd, p.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // killed: an error by design
		close(ended)
	}()
	if err := p.await(); err != nil {
		said, _ := os.ReadFile(p.log)
		p.t.Fatalf("%s does not start: %v\n%s", cmd.Path, err, said)
	}
}

func (p *Process) await() error {
	const patience = time.Minute
	for deadline := time.Now().Add(patience); ; {
		err := p.ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v: %w", patience, err)
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Signal sends a signal: SIGSTOP and SIGCONT freeze and thaw it. On Linux it
// returns once the process is frozen: on a busy machine that takes a while.
func (p *Process) Signal(s syscall.Signal) {
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(s); err == nil && s == stop {
		awaitFrozen(p.cmd.Process.Pid)
	}
}

// awaitFrozen waits, for some seconds at most, until all threads of a process are
// stopped.
func awaitFrozen(pid int) {
	for range 500 {
		frozen := true
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			// The state stands behind the name, which is in parentheses.
			if at := bytes.LastIndexByte(stat, ')'); err == nil && at+2 < len(stat) && stat[at+2] != 'T' {
				frozen = false
			}
		}
		if frozen {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Kill ends the server at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	p.cmd = nil
}
