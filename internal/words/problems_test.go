package words

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/editlock/editlock"
)

// literals returns the string literals of source files that pick says to.
func literals(t *testing.T, pattern string, pick func(ast.Node) ast.Expr) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	var found []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := pick(n).(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, text)
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("nothing found in %s", pattern)
	}
	return found
}

// invalids are the formats that a package's function invalid is called with.
func invalids(t *testing.T, pattern string, arg int) []string {
	t.Helper()
	return literals(t, pattern, func(n ast.Node) ast.Expr {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) <= arg {
			return nil
		}
		if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "invalid" {
			return nil
		}
		return call.Args[arg]
	})
}

// What the library calls invalid is known here, word for word: a new problem,
// or a changed one, needs its translation.
func TestProblem_KnowsAllOfTheLibrary(t *testing.T) {
	formats := slices.Concat(
		invalids(t, "../../*.go", 1), invalids(t, "../../client/*.go", 1), invalids(t, "../../connect/*.go", 0))
	for _, format := range formats {
		if format != "%s" { // a problem passed on
			wantTranslated(t, format)
		}
	}
}

// The same for what keeps a database file from opening.
func TestProblem_KnowsTheTroublesOfAFile(t *testing.T) {
	plain := literals(t, "../../store/sqlite/internal/dbfile/dbfile.go", func(n ast.Node) ast.Expr {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 1 {
			return nil
		}
		if name, ok := assign.Lhs[0].(*ast.Ident); !ok || name.Name != "plain" {
			return nil
		}
		if call, ok := assign.Rhs[0].(*ast.CallExpr); ok {
			return call.Args[0] // fmt.Sprintf
		}
		return assign.Rhs[0]
	})
	for _, text := range plain {
		if text != "" {
			wantTranslated(t, "sqlite: %s: "+text+" (%w)")
		}
	}
}

var anyVerb = regexp.MustCompile(`%[a-z]`)

// wantTranslated fills a format in and wants Russian for it.
func wantTranslated(t *testing.T, format string) {
	t.Helper()
	english := strings.ReplaceAll(anyVerb.ReplaceAllString(format, "7"), "%%", "%")
	russian := Russian.Problem(english)
	if !strings.ContainsFunc(russian, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		t.Errorf("no translation of %q", english)
	}
	if n := strings.Count(english, "7"); strings.Count(russian, "7") != n || strings.Contains(russian, "%!") {
		t.Errorf("%q became %q: the %d arguments must be in it", english, russian, n)
	}
	if got := English.Problem(english); got != english {
		t.Errorf("English was changed: %q became %q", english, got)
	}
}

func TestProblem_LeavesWhatItDoesNotKnow(t *testing.T) {
	const text = "is the wrong shade of blue"
	if got := Russian.Problem(text); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

func TestProblem_TranslatesEachOfItsOwn(t *testing.T) {
	for _, p := range slices.Concat(problems, careProblems) {
		wantTranslated(t, p.en)
	}
}

func TestError_OfAFieldOverTheWire(t *testing.T) {
	err := error(&editlock.InvalidError{Field: "wait", Problem: "is 2h; up to 1h is allowed"})
	if !errors.Is(err, editlock.ErrInvalid) {
		t.Fatal("not ErrInvalid")
	}
	if got, want := Russian.Error(err), "wait равно 2h; допустимо до 1h"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
