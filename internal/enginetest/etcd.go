package enginetest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Etcd is an etcd server for tests.
type Etcd struct {
	*Process        // nil: a server that was running already
	Host     string // HOST:PORT of its clients
}

// StartEtcd starts an etcd of one member, or takes the one that
// EDITLOCK_TEST_ETCD_URL names (etcd://HOST:PORT). Tests keep apart by the
// prefixes of their keys.
func StartEtcd(t TB) *Etcd {
	t.Helper()
	if url := os.Getenv("EDITLOCK_TEST_ETCD_URL"); url != "" {
		var host string
		if _, err := fmt.Sscanf(url, "etcd://%s", &host); err != nil {
			t.Fatalf("EDITLOCK_TEST_ETCD_URL must be etcd://HOST:PORT, not %q", url)
		}
		return &Etcd{Host: host}
	}
	return StartOwnEtcd(t)
}

// StartOwnEtcd starts an etcd that the test may kill, or configure by flags.
func StartOwnEtcd(t TB, flags ...string) *Etcd {
	t.Helper()
	program := Program(t, "etcd")
	clients, peers := Address(FreePort(t)), Address(FreePort(t))
	data := filepath.Join(t.TempDir(), "etcd")
	p := Start(t, func() *exec.Cmd {
		return exec.Command(program, append([]string{ //nolint:noctx // ended by Kill
			"--name", "test", "--data-dir", data,
			"--listen-client-urls", "http://" + clients, "--advertise-client-urls", "http://" + clients,
			"--listen-peer-urls", "http://" + peers, "--initial-advertise-peer-urls", "http://" + peers,
			"--initial-cluster", "test=http://" + peers, "--log-level", "error", "--logger", "zap",
		}, flags...)...)
	}, func() error { return healthy("http://" + clients + "/health") })
	return &Etcd{Process: p, Host: clients}
}

// healthy reports whether an etcd has a leader and takes writes.
func healthy(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it says %s", res.Status)
	}
	return nil
}
