package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// VERSION is the one place of the version; scripts/version.sh writes it into
// the parts that must state it themselves.
func TestVersion_IsTheSameInAllParts(t *testing.T) {
	text := func(path string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	want := strings.TrimSpace(text("VERSION"))
	for path, pattern := range map[string]string{
		"client/python/editlock/pyproject.toml": `(?m)^version = "(.*)"$`,
		"client/python/m3_mutex/pyproject.toml": `(?m)^(?:version = |dependencies = \["editlock==)"?([^"]*)"`,
		"client/js/package.json":                `(?m)^  "version": "(.*)",$`,
		"client/js/package-lock.json":           `(?m)^(?:  |      )"version": "(.*)",\n(?:  "lockfileVersion"|      "license": "MIT",\n      "devDependencies": \{\n        "esbuild")`,
	} {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(text(path), -1)
		if len(found) == 0 {
			t.Errorf("%s states no version", path)
		}
		for _, m := range found {
			if m[1] != want {
				t.Errorf("%s states the version %s, and VERSION %s: run scripts/version.sh", path, m[1], want)
			}
		}
	}
}
