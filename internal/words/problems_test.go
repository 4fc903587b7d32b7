package words

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/fault"
)

var update = flag.Bool("update", false, "write docs/problems.md")

// coded is a sentence with a code, as the source has it.
type coded struct {
	code, format string
	args         int
	api          bool // of an InvalidError or a LostError, not of a fault
	where        string
}

// allCoded finds the sentences with codes in all packages.
func allCoded(t *testing.T) []coded {
	t.Helper()
	var all []coded
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"bench", "tools", "node_modules", "testdata", ".git"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		constants := constantsOf(file)
		ast.Inspect(file, func(n ast.Node) bool {
			one, ok := codedBy(n, constants)
			if ok {
				one.where = set.Position(n.Pos()).String()
				all = append(all, one)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d sentences with codes were found", len(all))
	}
	return all
}

// codedBy is the sentence that a node gives a code: a call of invalid, fail or
// fault.New with a literal code, or a composite literal with the field Code.
func codedBy(n ast.Node, constants map[string]string) (coded, bool) {
	switch n := n.(type) {
	case *ast.CallExpr:
		at := -1 // of the code among the arguments
		switch f := n.Fun.(type) {
		case *ast.Ident:
			if f.Name == "invalid" {
				at = 1
			}
		case *ast.SelectorExpr:
			if in, ok := f.X.(*ast.Ident); ok && in.Name == "fault" && f.Sel.Name == "New" {
				at = 0
			} else if f.Sel.Name == "fail" {
				at = 1
			}
		}
		if at < 0 || len(n.Args) < at+2 {
			return coded{}, false
		}
		code, ok := literal(n.Args[at])
		return coded{code: code, format: constant(n.Args[at+1], constants), args: len(n.Args) - at - 2, api: at == 1}, ok
	case *ast.CompositeLit:
		one := coded{api: true}
		for _, element := range n.Elts {
			field, ok := element.(*ast.KeyValueExpr)
			if !ok {
				return coded{}, false
			}
			switch name, _ := field.Key.(*ast.Ident); {
			case name == nil:
				return coded{}, false
			case name.Name == "Code":
				one.code, _ = literal(field.Value)
			case name.Name == "Problem", name.Name == "Reason":
				one.format, _ = literal(field.Value)
			}
		}
		return one, one.code != "" && one.format != ""
	}
	return coded{}, false
}

// constant is the text of a literal, or of several and constants added up.
func constant(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return constant(e.X, constants) + constant(e.Y, constants)
	case *ast.Ident:
		return constants[e.Name]
	}
	text, _ := literal(e)
	return text
}

// constantsOf are the texts of a file's constants.
func constantsOf(file *ast.File) map[string]string {
	texts := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, value := range spec.Values {
				if text, ok := literal(value); ok {
					texts[spec.Names[i].Name] = text
				}
			}
		}
		return true
	})
	return texts
}

var anyVerb = regexp.MustCompile(`%(?:\[\d+\])?[a-z]`)

// sentence is a format with its arguments as {1}, {2}.
func sentence(format string) string {
	n := 0
	text := anyVerb.ReplaceAllStringFunc(strings.ReplaceAll(format, "%%", "\x00"), func(string) string {
		n++
		return fmt.Sprintf("{%d}", n)
	})
	return strings.ReplaceAll(text, "\x00", "%")
}

// Each code stands for one sentence, wherever it is used, with a translation that
// takes the same arguments. No translation is left over.
func TestCodes_HaveOneSentenceAndATranslation(t *testing.T) {
	seen := map[string]coded{}
	snake := regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)*$`)
	for _, one := range allCoded(t) {
		if !snake.MatchString(one.code) {
			t.Errorf("%s: the code %q is not in lower snake case", one.where, one.code)
		}
		if before, ok := seen[one.code]; ok && sentence(before.format) != sentence(one.format) {
			t.Errorf("%s: %s is %q, and %q at %s", one.where, one.code, one.format, before.format, before.where)
		}
		seen[one.code] = one
		russian, ok := problems[one.code]
		if !ok {
			t.Errorf("%s: %s is not translated: %s", one.where, one.code, one.format)
			continue
		}
		if n := len(verbs(russian)); n != one.args || arguments(russian) != n {
			t.Errorf("%s: %s has %d arguments, in Russian %d", one.where, one.code, one.args, n)
		}
	}
	for code := range problems {
		if _, ok := seen[code]; !ok {
			t.Errorf("%s is translated, and used nowhere", code)
		}
	}
}

// docs/problems.md lists the codes of the API.
func TestCodes_AreDocumented(t *testing.T) {
	sentences := map[string]string{}
	for _, one := range allCoded(t) {
		if one.api {
			sentences[one.code] = sentence(one.format)
		}
	}
	text := `# Codes of problems

What is wrong with an argument has a stable code: in Go as Code and Args of an
InvalidError, over HTTP as the member problem of a problem document, with code and args.
Go by the code. The sentence may be reworded. New codes may come at any time.

{1} and {2} are the arguments, in the order of args. This page is written by
` + "`go test ./internal/words -update`" + `.

| code | sentence |
| --- | --- |
`
	for _, code := range slices.Sorted(maps.Keys(sentences)) {
		text += fmt.Sprintf("| `%s` | %s |\n", code, strings.ReplaceAll(sentences[code], "|", `\|`))
	}
	const name = "../../docs/problems.md"
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(have)); diff != "" {
		t.Errorf("run go test ./internal/words -update (-want +have):\n%s", diff)
	}
}

func TestError_IsTranslatedByItsCode(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  editlock.InvalidError
		want string
	}{
		{"a code", editlock.InvalidError{Field: "wait", Problem: "was reworded", Code: "above_maximum", Args: []string{"2h", "1h"}}, "wait равно 2h; допустимо до 1h"},
		{"no code", editlock.InvalidError{Field: "wait", Problem: "is blue"}, "wait is blue"},
		{"a code of a newer server", editlock.InvalidError{Field: "wait", Problem: "is blue", Code: "blue"}, "wait is blue"},
		{"other arguments", editlock.InvalidError{Field: "wait", Problem: "is 2h", Code: "above_maximum", Args: []string{"2h"}}, "wait is 2h"},
		{"an argument that is no format", editlock.InvalidError{Field: "sharing", Problem: "?", Code: "unknown_sharing", Args: []string{"%d\x1b"}}, `sharing "%d\x1b" не бывает; бывает exclusive и shared`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !errors.Is(&tt.err, editlock.ErrInvalid) {
				t.Fatal("not ErrInvalid")
			}
			if got := Russian.Error(&tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got, want := English.Error(&tt.err), tt.err.Error(); got != want {
				t.Errorf("in English %q, want %q", got, want)
			}
		})
	}
}

func TestExplain_TranslatesEachLayerByItsCode(t *testing.T) {
	missing := &fs.PathError{Op: "open", Path: "a.toml", Err: syscall.ENOENT}
	full := fmt.Errorf("sqlite: a.db: %w (%w)", fault.New("disk_full", "reworded"), errors.New("SQLITE_FULL"))
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a fault with what was wrapped around it", full, "sqlite: a.db: на диске нет места (SQLITE_FULL)"},
		{"a fault whose argument is one", fault.New("unsound_copy", "reworded: %w", full), "копия неисправна: sqlite: a.db: на диске нет места (SQLITE_FULL)"},
		{"a duration", fault.New("locked_file", "for %v", time.Minute), "другая программа держит файл дольше 1m"},
		{"several errors", errors.Join(full, missing), "sqlite: a.db: на диске нет места (SQLITE_FULL)\na.toml: такого файла нет"},
		{"a missing file", fmt.Errorf("keys: %w", missing), "keys: a.toml: такого файла нет"},
		{"a forbidden file", &fs.PathError{Op: "open", Path: "a.toml", Err: syscall.EACCES}, "a.toml: нет права"},
		{"an argument within", fmt.Errorf("limit 1: %w", &editlock.InvalidError{Field: "wait", Code: "above_maximum", Args: []string{"2h", "1h"}}), "limit 1: wait равно 2h; допустимо до 1h"},
		{"the words of a driver", errors.New("dial tcp: refused"), "dial tcp: refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Russian.Explain(tt.err); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if got := English.Explain(tt.err); got != tt.err.Error() {
				t.Errorf("in English %q, want %q", got, tt.err.Error())
			}
		})
	}
}

func TestError_OfAStoreThatDoesNotOpen(t *testing.T) {
	folder := t.TempDir()
	corrupt := filepath.Join(folder, "corrupt.db")
	if err := os.WriteFile(corrupt, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "none", "a.db"): "sqlite: %s: нет папки " + filepath.Join(folder, "none"),
		corrupt:                               "sqlite: %s: файл повреждён или это не база SQLite; он оставлен как есть (",
	} {
		_, err := connect.Open(t.Context(), "sqlite:"+path, nil)
		if err == nil {
			t.Fatalf("%s opens", path)
		}
		if got, want := Russian.Error(err), fmt.Sprintf(want, path); !strings.HasPrefix(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
