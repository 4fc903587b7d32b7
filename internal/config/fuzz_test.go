package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/config"
)

// FuzzLoad is of configuration files: what is refused is refused by the
// file's name.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", `listen = ":7117"`, "[limits]\nevent_streams = -1", "[[issuer]]\nname = \"a\"\naudience = \"b\"\nsecret_file = \"c\"\nleeway = \"30s\"",
		"[[rule]]\ngroups = [\"a\"]\nrights = [\"read\"]\ngroup = \"*\"", "[login]\nissuer = \"x\"", "[http]\norigins = [\"https://a\"]\ntrusted_proxies = [\"10.0.0.0/8\"]",
		"[ranks.groups]\na = 1", "store = \"sqlite:x\"\n[history]\nmax_age = \"1h\"", "unknown = 1",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "editlock.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(path, nil, nil)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
	})
}
