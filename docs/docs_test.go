// Package docs holds the documentation; its tests hold the README to what the
// product does.
package docs

import (
	"bufio"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/enginetest"
)

// binary is the editlock command that the README's shell blocks run.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "editlock-docs-")
	if err == nil {
		binary, err = enginetest.BuildEditlock(dir, "editlock")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building editlock:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("its Go blocks are bodies of executed examples", func(t *testing.T) {
		examples := exampleBodies(t, "../example_test.go")
		for _, block := range blocks(t, string(readme), "go") {
			if !slices.Contains(examples, block) {
				t.Errorf("no example in example_test.go has this body:\n%s\nthere are:\n%s", block, strings.Join(examples, "\n---\n"))
			}
		}
	})
	t.Run("its shell blocks run as written", func(t *testing.T) {
		url := serve(t, "--store", "sqlite:"+filepath.Join(t.TempDir(), "served.db"))
		want := map[string][]string{
			"editlock capture": {"CAPTURED_BY_OTHER", "Ivan Ivanov", "refused with 3", "only one of us runs at a time"},
			"curl":             {`"state":"CAPTURED_BY_ME"`, `"next_cursor"`},
		}
		for _, block := range blocks(t, string(readme), "sh") {
			first := strings.Join(strings.Fields(block)[:2], " ")
			if target, ok := strings.CutPrefix(first, "make "); ok {
				dryRun(t, target)
				continue
			}
			out := shell(t, strings.ReplaceAll(block, "http://127.0.0.1:7117", url))
			expected, known := want[first]
			if !known {
				expected, known = want[strings.Fields(block)[0]]
			}
			if !known {
				t.Errorf("nothing is expected of the block that begins with %q", first)
			}
			for _, text := range expected {
				if !strings.Contains(out, text) {
					t.Errorf("the block\n%s\nprinted\n%s\nwithout %q", block, out, text)
				}
			}
		}
	})
	t.Run("its one command opens the demo", func(t *testing.T) {
		url := serve(t, "--demo", "--store", "sqlite:"+filepath.Join(t.TempDir(), "demo.db"))
		status, body := get(t, url)
		if status != http.StatusOK || !strings.Contains(body, "<html") {
			t.Errorf("GET %s: status %d, %s; want a page", url, status, body)
		}
	})
	t.Run("its links lead somewhere", func(t *testing.T) {
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)[)#]`).FindAllStringSubmatch(string(readme), -1) {
			if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
				t.Error(err)
			}
		}
	})
}

// blocks returns the fenced blocks of a language; there must be some.
func blocks(t *testing.T, text, language string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)\n```$").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatalf("no block of %s", language)
	}
	return found
}

// exampleBodies returns what stands between the braces of the examples in a
// file, as it would stand in a program of its own.
func exampleBodies(t *testing.T, path string) []string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Example") {
			continue
		}
		body := string(source[fset.Position(f.Body.Lbrace).Offset+1 : fset.Position(f.Body.Rbrace).Offset])
		body, _, _ = strings.Cut(body, "\t// Output:")
		lines := strings.Split(strings.Trim(body, "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], "\t")
		}
		bodies = append(bodies, strings.TrimSpace(strings.Join(lines, "\n")))
	}
	return bodies
}

// shell runs a script in a folder of its own, where editlock is a command,
// and returns what it printed.
func shell(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "EDITLOCK_STORE=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\nprinted\n%s", err, script, out)
	}
	return string(out)
}

// dryRun asks make what it would do: run and test themselves are too long.
func dryRun(t *testing.T, target string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "make", "-C", "..", "-n", target).CombinedOutput()
	if err != nil {
		t.Errorf("make -n %s: %v\n%s", target, err, out)
	}
	if want := "editlock serve --demo"; target == "run" && !strings.Contains(string(out), want) {
		t.Errorf("make run does not do %q but\n%s", want, out)
	}
}

// serve starts a server on a free port and returns its URL.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if url := address.FindString(lines.Text()); url != "" {
				select {
				case found <- url:
				default:
				}
			}
		}
	}()
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel() // it may have ended by itself
		<-ended
	})
	select {
	case url := <-found:
		return url
	case <-ended:
		t.Fatalf("editlock serve ended: %v", failed)
	case <-time.After(30 * time.Second):
		t.Fatal("editlock serve printed no address within 30s")
	}
	return ""
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestAllDecisionsAreListed(t *testing.T) {
	index, err := os.ReadFile("adr/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, m := range regexp.MustCompile(`\((\d{4}-[^)]+)\)`).FindAllStringSubmatch(string(index), -1) {
		got = append(got, m[1])
	}
	pages, err := filepath.Glob("adr/0*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		want = append(want, filepath.Base(page))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("adr/README.md does not list the pages there are (-want +got):\n%s", diff)
	}
}
