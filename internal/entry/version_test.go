package entry

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestVersion_IsAnotherForEachChange(t *testing.T) {
	files := func(pairs ...string) fs.FS {
		all := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		}
		return all
	}
	seen := map[string]string{}
	for name, some := range map[string][]fs.FS{
		"one file":              {files("a.js", "1")},
		"other content":         {files("a.js", "2")},
		"another name":          {files("b.js", "1")},
		"in a folder":           {files("sub/a.js", "1")},
		"two files":             {files("a.js", "1", "b.js", "2")},
		"two files, otherwise":  {files("a.js", "2", "b.js", "1")},
		"a second set of files": {files("a.js", "1"), files("c.js", "3")},
		"nothing":               nil,
	} {
		version := Version(some...)
		if again := Version(some...); again != version || len(version) != 12 {
			t.Errorf("%s is named %q, then %q", name, version, again)
		}
		if other, is := seen[version]; is {
			t.Errorf("%s and %s are both named %s", name, other, version)
		}
		seen[version] = name
	}
}
