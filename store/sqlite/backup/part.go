package backup

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// part is a file beside another, for what is to become it. It is held while its
// process lives: so those of a process that was killed can be told, and go.
type part struct {
	name string
	held *os.File // nil: released
}

const partEnds = ".part-*"

// newPart makes an empty file beside path, for the present user only, and
// removes those that nobody holds.
func newPart(path string) (*part, error) {
	if err := dbfile.NeedFolder(path); err != nil {
		return nil, err
	}
	old, _ := filepath.Glob(escape(path) + partEnds) // the pattern is right
	for _, name := range old {
		removeUnheld(name)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partEnds)
	if err != nil {
		return nil, dbfile.Explain(path, err)
	}
	p := &part{f.Name(), f}
	if err := hold(f); err != nil {
		p.remove()
		return nil, fmt.Errorf("sqlite: %s: %w", p.name, err)
	}
	return p, nil
}

// escape makes a pattern of a path, which matches that path alone.
func escape(path string) string {
	if os.PathSeparator == '\\' {
		return path // Windows allows no pattern's signs in names but [
	}
	var out []rune
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

func (p *part) release() {
	if p.held != nil {
		_ = p.held.Close()
		p.held = nil
	}
}

// remove removes it, unless it has another name by now.
func (p *part) remove() {
	p.release()
	_ = os.Remove(p.name)
	_ = os.Remove(p.name + "-journal")
}
