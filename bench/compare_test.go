package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCompare_MeasuresATreeBesideItsCommit is the whole comparison, as short as
// can be. The figures mean nothing.
func TestCompare_MeasuresATreeBesideItsCommit(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").Run(); err != nil {
		t.Skipf("there is no commit to compare with: %v", err)
	}
	b := &bench{rounds: 1, round: 20 * time.Millisecond, dir: t.TempDir()}
	out := printed(t, func() error {
		both, err := b.sides(t.Context(), "HEAD")
		if err != nil {
			return err
		}
		return b.compare(t.Context(), comparison{engines: "memory,sqlite", held: 2000}, both)
	})
	var got []string
	for line := range strings.Lines(out) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "## ") || len(cells) == 5 {
			got = append(got, strings.TrimSpace(strings.TrimPrefix(cells[0], "|")))
		}
	}
	want := func(engine string, handOff ...string) []string {
		rows := []string{
			"## " + engine, "what", "---",
			"capture + release a second, 1 caller", "capture + release a second, 64 callers", "p99 of the pair, 64 callers, µs",
		}
		return append(append(rows, handOff...),
			"allocations of a capture", "pair, p50, 1000 held, µs", "pair, p50, 2000 held, µs", "the latter by the former")
	}
	all := append(want("memory"), want("sqlite", "hand-off between two processes, p50, µs")...)
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s\n%s", diff, out)
	}
}

// printed is what f writes to the standard output.
func printed(t *testing.T, f func() error) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout = w
	var out bytes.Buffer
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(&out, r)
		read <- err
	}()
	failed := f()
	if err := errors.Join(failed, w.Close(), <-read); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCompare_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		c          comparison
	}{
		{"an engine", "-engines oracle: there are memory, sqlite, ", comparison{engines: "memory,oracle", held: 1}},
		{"a store that holds nothing", "-held must be at least 1", comparison{engines: "memory"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := (&bench{dir: t.TempDir()}).compare(t.Context(), tt.c, [2]side{})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

func TestSides_RefusesWhatIsNoCommit(t *testing.T) {
	_, err := (&bench{dir: t.TempDir()}).sides(t.Context(), "none..HEAD")
	if err == nil || !strings.HasPrefix(err.Error(), "none: not a commit") {
		t.Errorf("%v; want that it is not a commit", err)
	}
}

func TestGate_Verdict(t *testing.T) {
	for _, tt := range []struct {
		gate gate
		got  float64
		want string
	}{
		{atLeast(0.85), 0.85, "at least 0.85: met"},
		{atLeast(0.85), 0.84, "at least 0.85: missed"},
		{atMost(1.3), 1.3, "at most 1.30: met"},
		{atMost(1.3), 1.31, "at most 1.30: missed"},
		{gate{}, 7, ""},
	} {
		if got := tt.gate.verdict(tt.got); got != tt.want {
			t.Errorf("%.2f: %q; want %q", tt.got, got, tt.want)
		}
	}
}
