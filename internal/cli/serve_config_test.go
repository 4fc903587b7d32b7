package cli

import (
	"os"
	"path/filepath"
	"testing"

	"editlock/internal/config"
	"editlock/internal/words"
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

func TestDoctor_FindsKeysThatEverybodyCanChange(t *testing.T) {
	if !keepsModes {
		return // such as Windows
	}
	d := newDoctor("memory:")
	d.conf.Keys = filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(d.conf.Keys, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o600: fine, 0o604: warning, 0o606: failing} {
		if err := os.Chmod(d.conf.Keys, mode); err != nil {
			t.Fatal(err)
		}
		if got := d.files(); len(got) != 1 || got[0].Status != want {
			t.Errorf("%v: %+v", mode, got)
		}
	}
}
