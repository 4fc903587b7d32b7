package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/words"
)

func TestServe_ChecksTheAddressesBesideItsOwn(t *testing.T) {
	for _, tt := range []struct {
		name           string
		metrics, pprof string
		good           bool
	}{
		{"none", "", "", true},
		{"good ones", ":9117", "127.0.0.1:6060", true},
		{"metrics on no address", "nonsense", "", false},
		{"a port that can't be", "127.0.0.1:99999", "", false},
		{"profiles for all machines", "", "0.0.0.0:6060", false},
		{"profiles on every address", "", ":6060", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{app: newApp(words.English), conf: &config.Config{Settings: config.Settings{Metrics: tt.metrics, Pprof: tt.pprof}}}
			if err := s.checkSides(); (err == nil) != tt.good {
				t.Error(err)
			}
		})
	}
}

// Each file that a server reads is looked at: by the list of the configuration,
// which TestFiles_AreAllKnown keeps whole.
func TestDoctor_FindsFilesThatEverybodyCanReachOrChange(t *testing.T) {
	if !keepsModes {
		return // such as Windows
	}
	dir := t.TempDir()
	for _, name := range []string{"page.secret", "client.secret", "id.pem", "keys.json", "cert.pem", "key.pem", "ca.pem", "etcd.key", "etcd.ca"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "editlock.toml")
	text := `store = "etcd://127.0.0.1:1/x?key=` + dir + `/etcd.key&ca=` + dir + `/etcd.ca"
keys = "keys.json"
tls_cert = "cert.pem"
tls_key = "key.pem"
client_ca = "ca.pem"
[[issuer]]
name = "page"
secret_file = "page.secret"
[[issuer]]
name = "id"
public_key_file = "id.pem"
user_prefix = "id:"
[login]
client_secret_file = "client.secret"
user_prefix = "login:"
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDoctor("memory:")
	var err error
	if d.conf, err = config.Load(file, nil, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		setting, readable string // what is found of mode 0604
	}{
		"page.secret":   {"issuer.secret_file", failing},
		"client.secret": {"login.client_secret_file", failing},
		"key.pem":       {"tls_key", failing},
		"etcd.key":      {"store", failing},
		"keys.json":     {"keys", warning},
		"id.pem":        {"issuer.public_key_file", ""},
		"cert.pem":      {"tls_cert", ""},
		"ca.pem":        {"client_ca", ""},
		"etcd.ca":       {"store", ""},
		"editlock.toml": {"config", ""},
	} {
		path := filepath.Join(dir, name)
		found := func(mode os.FileMode) (status string) {
			t.Helper()
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			for _, f := range d.files() {
				if f.Check == want.setting && strings.Contains(f.Text, path) && f.Status != fine {
					status = f.Status
				}
			}
			return status
		}
		if got := found(0o604); got != want.readable {
			t.Errorf("%s that everybody reads: %q", name, got)
		}
		if got := found(0o602); got != failing {
			t.Errorf("%s that everybody changes: %q", name, got)
		}
		if got := found(0o600); got != "" {
			t.Errorf("%s as it should be: %q", name, got)
		}
		if err := os.Rename(path, path+"~"); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(d.files(), func(f finding) bool { return f.Status == failing && strings.Contains(f.Text, path) }) {
			t.Errorf("%s is not missed", name)
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.WriteFile(file, []byte(`store = "redis://:s3cret@127.0.0.1:1"`), 0o600), os.Chmod(file, 0o604)); err != nil {
		t.Fatal(err)
	}
	if d.conf, err = config.Load(file, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := d.files(); len(got) != 1 || got[0].Status != failing || strings.Contains(got[0].Text, "s3cret") {
		t.Errorf("a configuration with a password that everybody reads: %+v", got)
	}
}
