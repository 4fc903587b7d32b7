// Package packaging holds what installs editlock; its tests hold it to what the
// program says and shows.
package packaging

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/telemetry"
	"github.com/editlock/editlock/store/memory"
)

// exposure is the largest that systemd-analyze may find of the unit; 10 is
// what a service without any protection has.
const exposure = 2.0

func TestUnit_IsHardened(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Logf("systemd-analyze is not installed: %v", err)
		return
	}
	out, err := exec.CommandContext(t.Context(), tool, "security", "--offline=true", "--no-pager", "./editlock.service").CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > exposure {
		t.Errorf("exposed by %s, more than %v\n%s", found[1], exposure, out)
	}
}

// TestDashboard expects every metric that the dashboard shows to exist.
func TestDashboard(t *testing.T) {
	data, err := os.ReadFile("grafana/editlock.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	shown := metrics(t)
	name := regexp.MustCompile(`\b(?:editlock|process)_[a-z_]+`)
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			for _, metric := range name.FindAllString(target.Expr, -1) {
				if !strings.Contains(shown, "\n"+metric+"{") && !strings.Contains(shown, "\n"+metric+" ") {
					t.Errorf("%s shows %s, which is not measured", panel.Title, metric)
				}
			}
		}
	}
}

// metrics is what /metrics says after something of each kind has happened.
func metrics(t *testing.T) string {
	t.Helper()
	tel, err := telemetry.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	locks := tel.Locker(editlock.NewManager(tel.Store(memory.New(nil)), nil))
	defer func() { _ = locks.Close() }()
	go tel.Follow(t.Context(), locks)
	if err := tel.Access(access.New(access.Policy{}, access.DefaultLimits(), nil).Counters); err != nil {
		t.Fatal(err)
	}
	ann := editlock.WithOwner(t.Context(), editlock.Owner{Session: "ann"})
	bob := editlock.WithOwner(t.Context(), editlock.Owner{Session: "bob"})
	id := editlock.ID{ID: "a"}
	scrape := func() string {
		w := httptest.NewRecorder()
		tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w.Body.String()
	}
	for !strings.Contains(scrape(), `editlock_hold_duration_seconds_count{end="released"}`) {
		m, err := locks.Capture(ann, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = locks.Capture(bob, id, &editlock.CaptureOptions{Wait: 1_000_000}) // a millisecond
		if _, err := locks.Takeover(bob, id, m.Token, "urgent", nil); err != nil {
			t.Fatal(err)
		}
		_, _ = locks.Refresh(ann, []editlock.RefreshItem{{ID: id, Token: m.Token}}) // lost
		if _, err := locks.Release(bob, id, editlock.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range locks.Watch(t.Context(), editlock.WatchQuery{After: new(uint64)}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	return scrape()
}

// What is installed can be read by the program that is installed with it.
func TestConfigurations(t *testing.T) {
	for _, path := range []string{"debian/editlock.toml", "container.toml"} {
		t.Run(path, func(t *testing.T) {
			if _, err := config.Load(path, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	inMap := regexp.MustCompile(`(?m)^  editlock\.toml: \|\n((?:    .*\n)+)`)
	for _, path := range []string{"kubernetes/sqlite.yaml", "kubernetes/postgres.yaml"} {
		t.Run(path, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := inMap.FindSubmatch(data)
			if found == nil {
				t.Fatal("there is no editlock.toml in it")
			}
			file := filepath.Join(t.TempDir(), "editlock.toml")
			if err := os.WriteFile(file, regexp.MustCompile(`(?m)^    `).ReplaceAll(found[1], nil), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(file, nil, nil)
			if err != nil || c.Listen != ":7117" || !c.Known() {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}
