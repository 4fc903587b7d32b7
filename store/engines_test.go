package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// onCore are the engines under the storage core.
var onCore = []string{"memory", "sqlite", "postgres", "mariadb", "redis", "etcd"}

// An engine keeps rows, conditions and a log; what they mean is said once, above
// it. So the words of the rules stand in no engine, in none of its languages.
func TestEnginesOnTheCoreKnowNoRule(t *testing.T) {
	rule := regexp.MustCompile(`(?i)expired|queue|handed.?over|ticket|waiter|takeover|taken.?over`)
	for _, name := range onCore {
		read := 0
		for _, pattern := range []string{"*.go", "*.sql", "lua/*.lua"} {
			files, err := filepath.Glob(filepath.Join(name, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				read++
				for i, line := range strings.Split(string(text), "\n") {
					if word := rule.FindString(line); word != "" {
						t.Errorf("%s:%d speaks of %q: %s", file, i+1, word, strings.TrimSpace(line))
					}
				}
			}
		}
		if read == 0 {
			t.Errorf("no sources of %s were found", name)
		}
	}
}
