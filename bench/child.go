package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Servers run in processes of their own, so that their CPU and memory are
// theirs alone. The program starts itself again as one: it prints its address
// and answers each line on standard input with its usage, until that ends.

const childCommand = "serve-for-bench"

// usage is what a server has used.
type usage struct {
	CPU    time.Duration // since its start
	Memory int64         // heap and stacks in use, after a collection
}

// servers are the kinds of servers, by the first word of their name; the
// second is where they keep their data.
var servers = map[string]func(ctx context.Context, path string) (http.Handler, io.Closer, error){
	"echo":  func(context.Context, string) (http.Handler, io.Closer, error) { return echo(), nil, nil },
	"token": func(context.Context, string) (http.Handler, io.Closer, error) { return tokenPass(), nil, nil },
}

// child serves until standard input ends.
func child(name string) error {
	kind, path, _ := strings.Cut(name, ":")
	open, ok := servers[kind]
	if !ok {
		return fmt.Errorf("no server called %s", kind)
	}
	handler, closer, err := open(context.Background(), path)
	if err != nil {
		return err
	}
	if closer != nil {
		defer closer.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go srv.Serve(l)
	defer srv.Close()

	fmt.Println("http://" + l.Addr().String())
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		cpu, err := cpuTime()
		if err != nil {
			return err
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if err := out.Encode(usage{CPU: cpu, Memory: int64(m.HeapAlloc + m.StackInuse)}); err != nil {
			return err
		}
	}
	return nil
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
	s := &server{
		cmd: exec.CommandContext(ctx, self, childCommand, name),
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
		return nil, errors.Join(fmt.Errorf("server %s did not start: %w", name, err), s.cmd.Wait())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *server) Close() error {
	s.client.CloseIdleConnections()
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

// used asks the server what it has used.
func (s *server) used() (usage, error) {
	var u usage
	if _, err := fmt.Fprintln(s.in); err != nil {
		return u, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(line, &u)
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
