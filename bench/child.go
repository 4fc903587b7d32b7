package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Servers run in processes of their own, so that their CPU and memory are
// theirs alone. The program starts itself again as one: it prints its address
// and answers each line on standard input, "cpu" or "memory", with a number,
// until that ends.

const childCommand = "serve-for-bench"

// servers are the kinds of servers, by the first word of their name; the
// second is where they keep their data.
var servers = map[string]func(ctx context.Context, path string) (http.Handler, io.Closer, error){
	"echo":          func(context.Context, string) (http.Handler, io.Closer, error) { return echo(), nil, nil },
	"token":         func(context.Context, string) (http.Handler, io.Closer, error) { return tokenPass(nil), nil, nil },
	"durable-token": durableTokenPass,
	"editlock":      lockServer,
	"editlock-mem":  memoryLockServer,
	"store":         storeServer,

	"editlock-measured":     measuredLockServer,
	"editlock-mem-measured": measuredMemoryLockServer,
}

// child serves until standard input ends.
func child(name string) error {
	ctx := context.Background()
	kind, path, _ := strings.Cut(name, ":")
	switch kind {
	case "program":
		return programChild(ctx, path)
	case "crowd":
		var address, credential string
		var each, floods int
		if _, err := fmt.Sscan(path, &address, &credential, &each, &floods); err != nil {
			return err
		}
		return crowdChild(ctx, address, credential, each, floods)
	}
	open, ok := servers[kind]
	if !ok {
		return fmt.Errorf("no server called %s", kind)
	}
	handler, closer, err := open(ctx, path)
	if err != nil {
		return err
	}
	if closer != nil {
		defer closer.Close()
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }() // until Close
	defer srv.Close()

	return converse("http://"+l.Addr().String(), used)
}

// converse tells a child's name, and answers each line that comes with a
// number.
func converse(name string, answer func(what string) (int64, error)) error {
	fmt.Println(name)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		number, err := answer(lines.Text())
		if err != nil {
			return err
		}
		fmt.Println(number)
	}
	return nil
}

// used is what this process has used: nanoseconds of "cpu" since its start, or
// bytes of "memory", heap and stacks, after a collection.
func used(what string) (int64, error) {
	if what == "cpu" {
		cpu, err := cpuTime()
		return int64(cpu), err
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse), nil
}

// server is a running child, and a client for it that keeps connections.
type server struct {
	url    string
	client *http.Client
	in     io.WriteCloser
	out    *bufio.Reader
	cmd    *exec.Cmd
}

// start starts a server. Close stops it.
func start(ctx context.Context, name string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return launch(exec.CommandContext(ctx, self, childCommand, name))
}

// launch runs the command of a child.
func launch(cmd *exec.Cmd) (*server, error) {
	var err error
	s := &server{
		cmd: cmd,
		client: &http.Client{Transport: &http.Transport{
			MaxIdleConns: 0, MaxIdleConnsPerHost: 4096,
		}},
	}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server %s did not start: %w", cmd, err), s.cmd.Wait())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *server) Close() error {
	s.client.CloseIdleConnections()
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

func (s *server) cpu() (time.Duration, error) {
	n, err := s.used("cpu")
	return time.Duration(n), err
}

func (s *server) memory() (int64, error) { return s.used("memory") }

func (s *server) used(what string) (int64, error) {
	if _, err := fmt.Fprintln(s.in, what); err != nil {
		return 0, err
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(line), 10, 64)
}

// post sends a body and returns the answer's, which must be a 200.
func (s *server) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return answer, err
}
