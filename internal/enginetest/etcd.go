package enginetest

import (
	"context"
	"crypto/tls"
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
	return startEtcd(t, "http", http.DefaultClient, flags...)
}

// StartTLSEtcd starts an etcd that clients must reach by TLS, as cfg tells, with
// a certificate of theirs. The files are in PEM.
func StartTLSEtcd(t TB, ca, cert, key string, cfg *tls.Config) *Etcd {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg}}
	return startEtcd(t, "https", client, "--client-cert-auth", "--trusted-ca-file", ca, "--cert-file", cert, "--key-file", key)
}

func startEtcd(t TB, scheme string, client *http.Client, flags ...string) *Etcd {
	t.Helper()
	program := Program(t, "etcd")
	clients, peers := Address(FreePort(t)), Address(FreePort(t))
	data := filepath.Join(t.TempDir(), "etcd")
	p := Start(t, func() *exec.Cmd {
		return exec.Command(program, append([]string{ //nolint:noctx // ended by Kill
			"--name", "test", "--data-dir", data,
			"--listen-client-urls", scheme + "://" + clients, "--advertise-client-urls", scheme + "://" + clients,
			"--listen-peer-urls", "http://" + peers, "--initial-advertise-peer-urls", "http://" + peers,
			"--initial-cluster", "test=http://" + peers, "--log-level", "error", "--logger", "zap",
		}, flags...)...)
	}, func() error { return healthy(client, scheme+"://"+clients+"/health") })
	return &Etcd{Process: p, Host: clients}
}

// healthy reports whether an etcd has a leader and takes writes.
func healthy(client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it says %s", res.Status)
	}
	return nil
}
