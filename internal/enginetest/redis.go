package enginetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// RedisURLVariable names a running server to test on, instead of one that the
// tests start.
const RedisURLVariable = "EDITLOCK_TEST_REDIS_URL"

// Redis is a Redis server for tests.
type Redis struct {
	*Process // nil: a running server, that the tests may not stop
	URL      string
	Port     int
}

// prefixes counts the stores of this test process.
var prefixes atomic.Int64

// StartRedis starts a server, or takes the one that the environment names.
// Settings are such as "appendfsync=always"; with any, a server is always
// started. Without, nothing is kept on disk.
func StartRedis(t TB, settings ...string) *Redis {
	t.Helper()
	if url := os.Getenv(RedisURLVariable); url != "" && len(settings) == 0 {
		return &Redis{URL: url}
	}
	server := Program(t, "redis-server")
	port := FreePort(t)
	r := &Redis{URL: "redis://" + Address(port), Port: port}
	args := []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		args = append(append(args, "--"+key), strings.Fields(value)...)
	}
	r.Process = Start(t, func() *exec.Cmd {
		return exec.CommandContext(context.WithoutCancel(t.Context()), server, args...)
	}, func() error {
		_, err := r.Ask(t, "PING")
		if err != nil && strings.HasPrefix(err.Error(), "NOAUTH") {
			return nil // it runs, and wants a password
		}
		return err
	})
	return r
}

// Durable are the settings with which Redis has on disk what it acknowledges.
var Durable = []string{"appendonly=yes", "appendfsync=always"}

// Store is the URL of a store that no other test uses.
func (r *Redis) Store() string {
	return With(r.URL, fmt.Sprintf("prefix=test-%d-%d", os.Getpid(), prefixes.Add(1)))
}

// Ask sends one command to a server that the tests started, and returns the
// first line of what it answers, or of the first text in it.
func (r *Redis) Ask(t TB, words ...string) (string, error) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.WithoutCancel(t.Context()), "tcp", Address(r.Port))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	command := fmt.Sprintf("*%d\r\n", len(words))
	for _, w := range words {
		command += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := conn.Write([]byte(command)); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "-"):
			return "", errors.New(line[1:])
		case strings.HasPrefix(line, "$-1"), strings.HasPrefix(line, "*0"):
			return "", nil
		case strings.HasPrefix(line, "$"), strings.HasPrefix(line, "*"):
		default:
			return strings.TrimLeft(line, "+:"), nil
		}
	}
	return "", fmt.Errorf("no answer to %s: %w", words[0], lines.Err())
}
