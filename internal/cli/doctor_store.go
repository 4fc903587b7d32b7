package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/storeurl"
)

const (
	// skewFrom is what difference between clocks is worth a word.
	skewFrom = time.Second
	slowFrom = 100 * time.Millisecond
	lowSpace = 256 << 20
	noSpace  = 16 << 20
)

// engine finds out whether the store can be opened, and whose clock decides.
func (d *doctor) engine(ctx context.Context) []finding {
	url := d.conf.Store
	name := storeurl.Redact(url)
	if connect.Engine(url) == "memory" {
		return []finding{{"store", warning, d.words.Text("doctor.store.memory"), d.words.Text("doctor.store.memory.do")}}
	}
	e, err := connect.Examine(ctx, url)
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.noFolder() != "":
		return []finding{{"store", failing, d.words.Text("doctor.store.folder", d.noFolder()), d.words.Text("doctor.store.folder.do")}}
	case errors.Is(err, fs.ErrNotExist) && connect.Engine(url) == "sqlite": // others may miss a certificate
		return []finding{{"store", warning, d.words.Text("doctor.store.none", name), d.words.Text("doctor.store.none.do")}}
	case errors.Is(err, editlock.ErrInvalid):
		return []finding{{"store", failing, d.wrongURL(err), ""}}
	case err != nil:
		advice := d.words.Text("doctor.store.do")
		if connect.Engine(url) == "sqlite" {
			advice = d.words.Text("doctor.store.file.do")
		}
		return []finding{{"store", failing, d.words.Explain(err), advice}} // not Error: it takes silence for a server's
	}
	found := []finding{{"store", fine, d.words.Text("doctor.store", name, e.Version, e.RoundTrip.Round(10*time.Microsecond)), ""}}
	if e.RoundTrip > slowFrom {
		found[0].Status, found[0].Advice = warning, d.words.Text("doctor.store.slow.do")
	}
	switch {
	case e.Tables == 0:
		found = append(found, finding{"schema", warning, d.words.Text("doctor.schema.none"), d.words.Text("doctor.schema.none.do")})
	case e.Tables < e.Newest:
		found = append(found, finding{
			"schema", warning, d.words.Text("doctor.schema.old", e.Tables, e.Newest), d.words.Text("doctor.schema.old.do"),
		})
	default:
		found = append(found, finding{"schema", fine, d.words.Text("doctor.schema", e.Tables), ""})
	}
	if e.Lazy != "" {
		found = append(found, finding{"durability", warning, d.words.Text("doctor.lazy", e.Lazy), d.words.Text("doctor.lazy.do")})
	}
	return append(found, d.clock(e, connect.Engine(url)))
}

// noFolder is the folder of a database file if it does not exist.
func (d *doctor) noFolder() string {
	path, err := connect.File(d.conf.Store)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return filepath.Dir(path)
	}
	return ""
}

// wrongURL tells what is wrong with --store itself.
func (d *doctor) wrongURL(err error) string {
	var bad *editlock.InvalidError
	if errors.As(err, &bad) {
		err = renamed(bad, "--store")
	}
	return d.words.Error(err)
}

// clock compares the store's clock with this machine's.
func (d *doctor) clock(e *connect.Examination, engine string) finding {
	switch {
	case e.HasClock && e.Skew.Abs() > skewFrom:
		return finding{"clock", warning, d.words.Text("doctor.clock.skew", e.Skew.Round(time.Millisecond)), d.words.Text("doctor.clock.skew.do")}
	case e.HasClock:
		return finding{"clock", fine, d.words.Text("doctor.clock", e.Skew.Round(time.Millisecond)), ""}
	case engine == "etcd":
		return finding{"clock", fine, d.words.Text("doctor.clock.etcd"), ""}
	case !clockKept():
		return finding{"clock", warning, d.words.Text("doctor.clock.loose"), d.words.Text("doctor.clock.skew.do")}
	}
	return finding{"clock", fine, d.words.Text("doctor.clock.own"), ""}
}

// disk looks at the folder of a database file: its file system, its space,
// and whether it takes a write to the disk.
func (d *doctor) disk(path string) []finding {
	if d.noFolder() != "" {
		return nil // the store's check has said so
	}
	dir := filepath.Dir(path)
	var found []finding
	if about, ok := fileSystem(dir); ok {
		if about.network != "" {
			found = append(found, finding{"disk", failing, d.words.Text("doctor.disk.network", dir, about.network), d.words.Text("doctor.disk.network.do")})
		}
		space := finding{"disk", fine, d.words.Text("doctor.disk.space", size(about.free), dir), ""}
		switch {
		case about.free < noSpace:
			space.Status, space.Advice = failing, d.words.Text("doctor.disk.space.do")
		case about.free < lowSpace:
			space.Status, space.Advice = warning, d.words.Text("doctor.disk.space.do")
		}
		found = append(found, space)
	}
	took, err := tryDisk(dir)
	switch {
	case err != nil:
		found = append(found, finding{"disk", failing, d.words.Text("doctor.disk.write", dir, err), d.words.Text("doctor.disk.write.do")})
	case took > slowFrom:
		found = append(found, finding{"disk", warning, d.words.Text("doctor.disk.sync", took.Round(time.Millisecond)), d.words.Text("doctor.disk.sync.do")})
	default:
		found = append(found, finding{"disk", fine, d.words.Text("doctor.disk.sync", took.Round(10*time.Microsecond)), ""})
	}
	if _, err := os.Stat(path); err != nil {
		return found // the store's check has said so
	}
	return append(found, d.file(config.NamedFile{Setting: "file", Path: path, Kind: config.GuardedFile})...)
}

// tryDisk writes some bytes to the disk, and tells how long they took to be
// there.
func tryDisk(dir string) (took time.Duration, err error) {
	f, err := os.CreateTemp(dir, ".editlock-doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.WriteString("written to see whether the disk takes it"); err != nil {
		return 0, err
	}
	began := time.Now()
	err = f.Sync()
	return time.Since(began), err
}

// contents finds out whether a database file is sound.
func (d *doctor) contents(ctx context.Context, path string) []finding {
	about, err := connect.Describe(ctx, path)
	if err != nil {
		return nil // the store's check has said so
	}
	if err := connect.Check(ctx, path); err != nil {
		return []finding{{"contents", failing, d.words.Error(err), d.words.Text("doctor.contents.do")}}
	}
	return []finding{{"contents", fine, d.words.Text("doctor.contents", about.Mutexes, about.Waiting, about.Entries, size(about.FileSize)), ""}}
}
