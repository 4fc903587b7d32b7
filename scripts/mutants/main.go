// Command mutants plants bugs, one at a time, and expects the tests to fail
// for each: a test that can't fail proves nothing. The tree itself is not
// changed (go test -overlay). Run it from the root of the module:
//
//	go run ./scripts/mutants             all
//	go run ./scripts/mutants -only fifo  those with this word in their name
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mutant is one bug: in a file, one text stands instead of another.
type mutant struct {
	name     string
	file     string
	old, bug string
	packages []string // whose tests must notice, tried in this order
}

func main() {
	only := flag.String("only", "", "plant only bugs with this text in their name")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	chosen := slices.DeleteFunc(mutants, func(m mutant) bool { return !strings.Contains(m.name, only) })
	if err := healthy(ctx, chosen); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var survived []string
	for _, m := range chosen {
		start := time.Now()
		killer, err := m.test(ctx, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if killer == "" {
			survived = append(survived, m.name)
			killer = "NOT FOUND"
		}
		fmt.Printf("%-48s %s (%v)\n", m.name, killer, time.Since(start).Round(time.Second))
	}
	if len(survived) > 0 {
		return fmt.Errorf("no test noticed: %s", strings.Join(survived, "; "))
	}
	return nil
}

// healthy makes sure that the tests pass without a bug: else they prove
// nothing with one.
func healthy(ctx context.Context, chosen []mutant) error {
	args := []string{"test"}
	for _, m := range chosen {
		args = append(args, m.packages...)
	}
	slices.Sort(args[1:])
	if out, err := exec.CommandContext(ctx, "go", slices.Compact(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("the tests fail without a planted bug: %w\n%s", err, out)
	}
	return nil
}

// test plants the bug and returns the first test that failed, or nothing.
func (m mutant) test(ctx context.Context, dir string) (killer string, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return "", fmt.Errorf("%s has %q %d times, not once: the mutant is out of date", m.file, m.old, n)
	}
	planted := filepath.Join(dir, "planted.go")
	if err := os.WriteFile(planted, []byte(strings.Replace(string(source), m.old, m.bug, 1)), 0o600); err != nil {
		return "", err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: planted}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return "", err
	}
	for _, pkg := range m.packages {
		out, err := exec.CommandContext(ctx, "go", "test", "-failfast", "-timeout", "5m", "-overlay", file, pkg).CombinedOutput()
		var failed *exec.ExitError
		switch {
		case err == nil:
			continue
		case !errors.As(err, &failed):
			return "", err
		case strings.Contains(string(out), "[build failed]"), strings.Contains(string(out), "[setup failed]"):
			return "", fmt.Errorf("the mutant does not compile:\n%s", out)
		}
		return pkg + " " + firstFailure(out), nil
	}
	return "", nil
}

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// firstFailure names the innermost of the tests that failed.
func firstFailure(out []byte) string {
	var names []string
	for _, m := range failure.FindAllSubmatch(out, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) == 0 {
		return "(" + strings.TrimSpace(string(out[max(0, len(out)-200):])) + ")"
	}
	return slices.MaxFunc(names, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
}
