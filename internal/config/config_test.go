package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "editlock.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad_TakesTheStrongestSource(t *testing.T) {
	file := write(t, "listen = \"127.0.0.1:1\"\nkeys = \"keys.json\"\n")
	dir := filepath.Dir(file)
	for _, tt := range []struct {
		name   string
		file   string
		env    []string
		flags  map[string]string
		listen string
		from   config.Source
	}{
		{"the default", "", nil, nil, config.DefaultListen, config.Source{}},
		{"the file", file, nil, nil, "127.0.0.1:1", config.Source{Kind: config.File, Name: file}},
		{
			"the file that the environment names", "",
			[]string{"EDITLOCK_SERVE_CONFIG=" + file},
			nil, "127.0.0.1:1",
			config.Source{Kind: config.File, Name: file},
		},
		{
			"the environment before the file, the last of two settings", file,
			[]string{"EDITLOCK_SERVE_LISTEN=127.0.0.1:9", "EDITLOCK_SERVE_LISTEN=127.0.0.1:2"},
			nil,
			"127.0.0.1:2",
			config.Source{Kind: config.Environment, Name: "EDITLOCK_SERVE_LISTEN"},
		},
		{"an empty variable says nothing", file, []string{"EDITLOCK_SERVE_LISTEN="}, nil, "127.0.0.1:1", config.Source{Kind: config.File, Name: file}},
		{
			"a flag before all", file,
			[]string{"EDITLOCK_SERVE_LISTEN=127.0.0.1:2"},
			map[string]string{"listen": "127.0.0.1:3"},
			"127.0.0.1:3",
			config.Source{Kind: config.FlagGiven, Name: "--listen"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Load(tt.file, tt.env, tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			if c.Listen != tt.listen || c.Source("listen") != tt.from {
				t.Errorf("%s from %+v; want %s from %+v", c.Listen, c.Source("listen"), tt.listen, tt.from)
			}
			if c.File() != "" && c.Keys != filepath.Join(dir, "keys.json") {
				t.Errorf("keys are in %s", c.Keys)
			}
		})
	}
}

func TestLoad_RefusesWhatItDoesNotKnow(t *testing.T) {
	for name, tt := range map[string]struct {
		text, env string
		want      string
	}{
		"empty":             {"", "", ""},
		"whole":             {whole, "", ""},
		"unknown key":       {"store = \"memory:\"\nlisten_on = \":1\"\n", "", "line 2: listen_on is not known here; do you mean listen?"},
		"unknown limit":     {"[limits]\nevent_stream = 1\n", "", "line 2: limits.event_stream is not known here; do you mean event_streams?"},
		"unknown in claim":  {"[[issuer]]\n[issuer.claims]\nlogn = \"x\"\n", "", "line 3: issuer.claims.logn is not known here; do you mean login?"},
		"unknown table":     {"[tls]\ncert = \"x\"\n", "", "tls is not known here; known are certificates, "},
		"unknown name":      {"[[rule]]\nright = [\"read\"]\n", "", "line 2: rule.right is not known here; do you mean rights?"},
		"unknown variable":  {"", "EDITLOCK_SERVE_LISTN=x", "EDITLOCK_SERVE_LISTN, which is not known; do you mean EDITLOCK_SERVE_LISTEN?"},
		"no bool":           {"", "EDITLOCK_SERVE_DEMO=yes", "EDITLOCK_SERVE_DEMO: must be true or false"},
		"others' variable":  {"", "EDITLOCK_DEMO_IDLE=3s", ""},
		"unknown right":     {"[[rule]]\neveryone = true\nrights = [\"reed\"]\n", "", `rule 1: rights: there is no "reed"`},
		"rule for nobody":   {"[[rule]]\nrights = [\"read\"]\n", "", "rule 1 is for nobody"},
		"star inside":       {"[[rule]]\neveryone = true\nrights = [\"read\"]\ngroup = \"a*b\"\n", "", `"a*b" has a * that is not at its end`},
		"a link elsewhere":  {"[[link]]\nurl = \"https://app/{id}\"\n[[link]]\nurl = \"javascript:alert({id})\"\n", "", "link 2: url: must begin with http:// or https://"},
		"a link to here":    {"[[link]]\nurl = \"/demo/{id}\"\n", "", "link 1: url: must begin with http:// or https://"},
		"a link to a host":  {"[[link]]\nurl = \"https://{id}.example/\"\n", "", "link 1: url: {group}, {mode}, {id} and {part} may stand behind the host"},
		"a link's blank":    {"[[link]]\nurl = \"https://app/{id}/{user}\"\n", "", "link 1: url: \"{user}\" is not known; known are {group}, {mode}, {id} and {part}"},
		"a link's star":     {"[[link]]\ngroup = \"a*b\"\nurl = \"https://app/{id}\"\n", "", `link 1: group: "a*b" has a * that is not at its end`},
		"a limit":           {"[[limit]]\ngroup = \"etl\"\nmode = \"import\"\nholders = 3\n[[limit]]\ngroup = \"etl\"\nholders = 1\n", "", ""},
		"a limit of none":   {"[[limit]]\nmode = \"import\"\n", "", "limit 1: holders: must be between 1 and 10000, not 0"},
		"a limit twice":     {"[[limit]]\nholders = 3\n[[limit]]\nholders = 4\n", "", "limit 2: it is for the group \"\" and mode \"\", as limit 1 is"},
		"a link's key":      {"[[link]]\nhref = \"https://app/{id}\"\n", "", "line 2: link.href is not known here"},
		"origin":            {"[http]\norigins = [\"*\"]\n", "", `"*" is not an origin`},
		"duration":          {"[login]\nlifetime = \"8\"\n", "", "must be a duration such as 30s or 8h"},
		"same users":        {"[[issuer]]\nname = \"a\"\naudience = \"e\"\n[[issuer]]\nname = \"b\"\naudience = \"e\"\n", "", "would be taken for each other's"},
		"users of certs":    {"client_ca = \"ca\"\n[certificates]\nuser_prefix = \"\"\n[[issuer]]\nname = \"a\"\n", "", "would be taken for each other's"},
		"the certs' prefix": {"client_ca = \"ca\"\n[login]\nuser_prefix = \"certificate:\"\n", "", "would be taken for each other's"},
		"the same, meant":   {"[[issuer]]\nname = \"a\"\nuser_prefix = \"\"\n[[issuer]]\nname = \"b\"\nuser_prefix = \"\"\n", "", ""},
		"a bad prefix":      {"[[issuer]]\nname = \"a\"\nuser_prefix = \"a\\u202e\"\n", "", "user_prefix"},
		"a long prefix":     {"[login]\nuser_prefix = \"" + strings.Repeat("x", 200) + "\"\n", "", "no user can be called"},
		"a kind":            {"[[issuer]]\nname = \"a\"\nkinds = [\"agent\", \"job\"]\n", "", ""},
		"a kind of its own": {"[[issuer]]\nname = \"a\"\nkinds = [\"robot\"]\n", "", "must be person, agent or job, not \"robot\""},
		"not TOML":          {"rule = [", "", "line 1"},
		"an issuer twice":   {"[[issuer]]\nname = \"a\"\n[[issuer]]\nname = \"a\"\n", "", "is there twice"},
		"a proxy by name":   {"[http]\ntrusted_proxies = [\"proxy\"]\n", "", "line 2"},
		"history":           {"[history]\nmax_entries = -1\n", "", "history.max_entries: must be 0"},
		"age in days":       {"[history]\nmax_age = 365\n", "", "history.max_age: must be a duration such as 30s or 8h, not 365"},
		"leeway in seconds": {"[[issuer]]\nleeway = 30\n", "", "issuer.leeway: must be a duration"},
		"large letters":     {"KEYS = \"keys.json\"\n", "", "KEYS is not known here; do you mean keys?"},
		"twice, once large": {"keys = \"a\"\nKeys = \"b\"\n", "", "Keys is not known here; do you mean keys?"},
		"large in a table":  {"[[rule]]\nRights = [\"read\"]\neveryone = true\n", "", "rule.Rights is not known here; do you mean rights?"},
		"ranks' own names":  {"[ranks.groups]\nChiefs = 10\n", "", ""},
		"ranks below 0":     {"[ranks]\nhighest_stated = -1\n", "", "ranks.highest_stated: must be 0, for none, or more, not -1"},
		"a limit below 0":   {"[limits]\nevent_streams = -1\n", "", "limits.event_streams: must be 0, for none, or more, not -1"},
		"no age":            {"[history]\nmax_age = \"a year\"\n", "", "must be a duration"},
		"a wrong type":      {"listen = 7117\n", "", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(write(t, tt.text), []string{"HOME=/", tt.env}, nil)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// What is printed says the same when it is read.
func TestConfig_TOMLIsAFile(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "whole": whole} {
		t.Run(name, func(t *testing.T) {
			file := write(t, text)
			c, err := config.Load(file, nil, map[string]string{"listen": ":1", "demo": "true"})
			if err != nil {
				t.Fatal(err)
			}
			kinds := []string{"default", "file", "environment", "flag"}
			printed, err := c.TOML(func(s config.Source) string { return kinds[s.Kind] + " " + s.Name })
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(printed), "listen = ':1' # flag --listen\n") {
				t.Errorf("printed\n%s", printed)
			}
			age := map[string]string{"empty": "8760h", "whole": "720h"}[name]
			if !strings.Contains(string(printed), "max_age = '"+age+"' #") || strings.Contains(string(printed), "m0s") {
				t.Errorf("durations are printed in another form than files have\n%s", printed)
			}
			again, err := config.Load(write(t, string(printed)), nil, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, printed)
			}
			same := cmp.Options{
				cmpopts.IgnoreUnexported(config.Config{}), cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty(),
				cmp.FilterPath(func(p cmp.Path) bool {
					last := p.Last().String()
					return last == ".SecretFile" || last == ".Store"
				}, cmp.Ignore()),
			}
			if diff := cmp.Diff(c, again, same); diff != "" {
				t.Errorf("%s\n%s", diff, printed)
			}
			if name == "whole" && again.Issuers[0].SecretFile != filepath.Join(filepath.Dir(file), "page.secret") {
				t.Errorf("the secret is in %s", again.Issuers[0].SecretFile)
			}
		})
	}
}

func TestLoad_TakesFilesOfTextOnly(t *testing.T) {
	dir := t.TempDir()
	marked, large := filepath.Join(dir, "marked.toml"), filepath.Join(dir, "large.toml")
	for name, text := range map[string]string{
		marked: "\ufefflisten = \"127.0.0.1:7200\"\n",
		large:  strings.Repeat("# nothing\n", 200_000),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := config.Load(marked, nil, nil); err != nil || c.Listen != "127.0.0.1:7200" {
		t.Errorf("with a byte order mark: %+v, %v", c, err)
	}
	for file, want := range map[string]string{large: "at most", dir: "is no regular file", os.DevNull: "is no regular file"} {
		if _, err := config.Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
}

// whole has everything that docs/security.md names.
const whole = `
store = "postgres://locks:secret@db/locks"
listen = "127.0.0.1:7117"
keys = "keys.json"
tls_cert = "cert.pem"
tls_key = "/etc/ssl/key.pem"
metrics = "127.0.0.1:9117"

[[issuer]]
name = "shop"
audience = "editlock"
secret_file = "page.secret"
leeway = "30s"
kinds = ["person", "agent"]
[issuer.claims]
login = "login"

[login]
issuer = "https://id.example.org"
client_id = "editlock"
client_secret_file = "client.secret"
public_url = "https://locks.example.org"
scopes = ["groups"]
user_prefix = "id:"
lifetime = "8h"

[certificates]
user = "email"
kinds = ["job"]

[[rule]]
everyone = true
rights = ["read", "use"]
group = "*"
mode = "*"

[[rule]]
groups = ["chiefs"]
users = ["id:7"]
rights = ["takeover", "force_release", "history"]
group = "docs"
mode = "task*"

[ranks]
highest_stated = 15
[ranks.groups]
chiefs = 10
[ranks.users]
"id:7" = 20

[[link]]
group = "crm"
mode = "con*"
url = "https://crm.example.org/contracts/{id}?from={group}"
[[link]]
group = "*"
mode = "*"
url = "https://app.example.org/{mode}/{id}"

[history]
max_age = "720h"

[limits]
mutexes_per_session = 100

[presence]
off = ["staff", "hr*"]

[http]
origins = ["https://app.example.org"]
trusted_proxies = ["10.0.0.0/8"]
`

func TestPresence_IsOffForGroups(t *testing.T) {
	c, err := config.Load(write(t, "[presence]\noff = [\"staff\", \"hr*\", \"\"]\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for group, off := range map[string]bool{"staff": true, "staff2": false, "hr": true, "hr-payroll": true, "": true, "crm": false} {
		if got := c.Presence.IsOff(editlock.ID{Group: group, ID: "1"}); got != off {
			t.Errorf("off for group %q: %v, want %v", group, got, off)
		}
	}
	if _, err := config.Load(write(t, "[presence]\noff = [\"*hr\"]\n"), nil, nil); err == nil || !strings.Contains(err.Error(), "presence.off") {
		t.Errorf("a pattern that is none: %v", err)
	}
}
