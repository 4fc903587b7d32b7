package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/internal/config"
)

// FuzzPrint is of configurations that are printed: what is printed is taken,
// and says the same. What Load refuses it refuses always.
func FuzzPrint(f *testing.F) {
	for _, seed := range []string{
		"", `listen = ":7117"`, "[limits]\nevent_streams = 1", "[[issuer]]\nname = \"a\"\naudience = \"b\"\nsecret_file = \"c\"\nleeway = \"30s\"",
		"[[rule]]\ngroups = [\"a\"]\nrights = [\"read\"]\ngroup = \"*\"", "[http]\norigins = [\"https://a\"]\ntrusted_proxies = [\"10.0.0.0/8\"]",
		"[ranks.groups]\na = 1\n\"b.c # d\" = 2", "store = \"sqlite:x # y\"\n[history]\nmax_age = \"1h\"", "store = \"postgres://u:p@h/d\"", "keys = \"k\\\"\\u0007\"",
		"[login]\nissuer = \"https://a\"\nclient_id = \"b\"\npublic_url = \"https://c\"\nscopes = [\"groups\"]\n[login.claims]\ngroups = \"a.b\"",
		"[certificates]\nrank = 1", "[history]\nmax_age = \"0s\"\nmax_entries = 0",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path, printed := filepath.Join(dir, "editlock.toml"), filepath.Join(dir, "printed.toml")
	print := func(t *testing.T, name string, data []byte) ([]byte, error) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(name, nil, nil)
		if err != nil {
			return nil, err
		}
		text, err := c.TOML(func(config.Source) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		return text, nil
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := print(t, path, data)
		if err != nil {
			return
		}
		if bytes.Contains(first, []byte("***")) {
			return // a store whose address is not shown
		}
		second, err := print(t, printed, first)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%q is printed as\n%s\nand that as\n%s\n%v", data, first, second, err)
		}
	})
}
