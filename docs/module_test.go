package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program outside the checkout takes the module as the README says, and
// builds what the README shows.
func TestReadme_ItsModuleCanBeRequiredByAnotherProgram(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	app := t.TempDir()
	program := fmt.Sprintf(`package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
)

func main() {
%s
}
`, blocks(t, string(readme), "go")[0])
	if err := os.WriteFile(filepath.Join(app, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(command string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), command, args...)
		cmd.Dir = app
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("go", "mod", "init", "example.com/app")
	for line := range strings.Lines(blocks(t, string(readme), "text")[0]) {
		words := strings.Fields(strings.ReplaceAll(line, "../editlock", checkout))
		run(words[0], words[1:]...)
	}
	out := run("go", "run", ".")
	if want := "Ivan Ivanov holds /invoice/17"; !strings.Contains(out, want) {
		t.Errorf("the program printed\n%s\nwithout %q", out, want)
	}
}
