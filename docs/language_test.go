package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// written are the extensions of files that people write.
var written = []string{".go", ".md", ".py", ".js", ".mjs", ".ts", ".tsx", ".jsx", ".vue", ".html", ".css", ".sql", ".lua", ".sh", ".txtar", ".toml", ".yml", ".json", ".rst"}

// made matches folders and files that are generated, or that quote others.
var made = regexp.MustCompile(`(^|/)(\.git|node_modules|dist|\.venv[^/]*|venv|__pycache__|\.[a-z]+_cache|\.hypothesis|\.schemathesis|editlock/build|[^/]*\.egg-info|test-results|package-lock\.json|public/app\.js)(/|$)`)

// Texts name a role and continue with "they". Each word in avoided.txt has a plainer one.
func TestLanguage_KeepsToPlainWords(t *testing.T) {
	words, err := os.ReadFile("testdata/avoided.txt")
	if err != nil {
		t.Fatal(err)
	}
	avoided := regexp.MustCompile(`(?i)\b(` + strings.Join(strings.Split(strings.TrimSpace(string(words)), "\n"), "|") + `)\b`)
	var read int
	err = filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel("..", path)
		if made.MatchString(filepath.ToSlash(name)) {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() ||
			!slices.ContainsFunc(written, func(end string) bool { return strings.HasSuffix(name, end) }) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for i, line := range strings.Split(string(text), "\n") {
			if word := avoided.FindString(line); word != "" {
				t.Errorf("%s:%d: %q in %.120q: see Language in CONTRIBUTING.md", name, i+1, word, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
}
