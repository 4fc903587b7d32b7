package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/feature/plural"
)

// sources parses the Go files that may use the catalogue, its own excepted.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	var out []*ast.File
	for _, pattern := range []string{"*.go", "../cli/*.go", "../entry/*.go", "../../examples/demo/*.go", "../../server/auth/*.go", "../../server/webui/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(filepath.Base(name), "text_") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, file)
		}
	}
	return out
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// The calls that name a text give it the arguments that it prints.
func TestCatalogue_GetsItsArguments(t *testing.T) {
	calls := 0
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			key, isKey := literal(call.Args[0])
			if !ok || !isKey {
				return true
			}
			want, args := -1, len(call.Args)-1
			switch f.Sel.Name {
			case "Text", "usage":
				if text, ok := catalogue[key]; ok {
					want = len(verbs(text.en))
				}
			case "Count":
				if text, ok := counted[key]; ok {
					want = len(verbs(text.en[plural.Other]))
				}
			default:
				return true
			}
			calls++
			switch {
			case want < 0:
				t.Errorf("%s: no such text", key)
			case args != want:
				t.Errorf("%s is given %d arguments, wants %d", key, args, want)
			}
			return true
		})
	}
	if calls < 100 {
		t.Errorf("only %d calls were found", calls)
	}
}

// Each text is used somewhere. Keys that are put together belong to families.
func TestCatalogue_HasNothingUnused(t *testing.T) {
	used := map[string]bool{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if text, ok := literal(e); ok {
					used[text] = true
				}
			}
			return true
		})
	}
	// Of commands, kinds, groups, and types of flags; their own tests.
	families := regexp.MustCompile(`^kind\.|^group\.|\.(short|long)$|^page\.\w+\.more$|^doctor\.(ok|warning|error)$|^backup\.(postgres|mariadb|redis|etcd|http|memory)$|^usage\.(bool|duration|idle|number|time)$`)
	for key := range maps.Keys(catalogue) {
		if !used[key] && !families.MatchString(key) {
			t.Errorf("%s is not used", key)
		}
	}
	for key := range counted {
		if !used[key] {
			t.Errorf("%s is not used", key)
		}
	}
}
