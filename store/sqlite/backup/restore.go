package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/store/sqlite/internal/dbfile"
)

// stride is how many numbers are left out where the clock does not help.
const stride = 1 << 40

// beyond is a number that no store can have given out which began at or below
// last, or behind the number of an earlier restore: the microseconds since 1970.
// No store gives a million a second. A fixed distance from last would not do:
// two restores of one backup would begin alike. Numbers stay below 2^53, where
// JavaScript's end, until 2255.
func beyond(last uint64, now time.Time) uint64 {
	if at := now.UnixMicro(); at > 0 && uint64(at) > last {
		return uint64(at)
	}
	return last + stride // the clock is wrong
}

// ErrInUse is the error of Restore while a process has the store open.
var ErrInUse = errors.New("another process has the store open; stop all servers first")

// Restored is what Restore did.
type Restored struct {
	// Kept is the name that the replaced file has now; empty: there was none.
	Kept string
	// Last is the number that counts as the last one given out: every token
	// from now on is greater.
	Last uint64
	// Jumped tells that the replaced file could not say which numbers were given
	// out since the backup, so a great many were left out.
	Jumped bool
}

// Restore puts a copy of a backup in the place of the store in the file path,
// which no process may have open; the backup stays as it is. It refuses, and
// changes nothing, if the backup fails [Check] or is of a newer editlock. What
// was there is kept beside it, with the time (UTC) in its name.
//
// The content is replaced, not the file: SQLite finds the WAL by the file's
// name, so a process that starts meanwhile would join another file's WAL to the
// one put aside. Now it waits for the file's lock, and finds the new content.
// That is one transaction of SQLite's: where the disk fills, or the process is
// killed, what was there is there again. Only what SQLite could not read before
// may be left as something that it refuses; Restore again.
//
// No number that was given out since the backup is given out again: the new
// store begins behind the last of the replaced one. If that is missing, fails
// Check, or did not come out of the one that was backed up (such as an empty
// store that a server made when the file was lost), it begins at the number of
// microseconds since 1970.
func Restore(ctx context.Context, backup, path string, o *Options) (r *Restored, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := differ(backup, path); err != nil {
		return nil, err
	}
	if err := Check(ctx, backup); err != nil {
		return nil, err
	}
	part, err := newPart(path)
	if err != nil {
		return nil, err
	}
	defer part.remove()
	temp := part.name
	if err := o.watched(backup, temp, func() error { return snapshot(ctx, backup, temp) }); err != nil {
		return nil, dbfile.Explain(backup, err)
	}
	old, err := claim(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, old.release()) }()
	r = &Restored{}
	if r.Last, r.Jumped, err = raise(ctx, temp, old); err != nil {
		return nil, dbfile.Explain(temp, err)
	}
	if err := Check(ctx, temp); err != nil {
		return nil, fmt.Errorf("sqlite: %w", fault.New("unsound_copy", "the copy is not sound: %w", err))
	}
	if err := syncFile(temp); err != nil {
		return nil, dbfile.Explain(temp, err)
	}
	if r.Kept, err = old.replace(ctx, temp, time.Now()); err != nil {
		return nil, dbfile.Explain(path, err)
	}
	return r, syncFolder(filepath.Dir(path))
}

// differ refuses to restore a file from itself.
func differ(backup, path string) error {
	from, err := os.Stat(backup)
	if err != nil {
		return dbfile.Explain(backup, err)
	}
	if to, err := os.Stat(path); err == nil && os.SameFile(from, to) {
		return dbfile.At(backup, fault.New("store_itself", "is the store itself"))
	}
	return nil
}

// raise sets the last number given out in a copy, above all that may have been
// given out since it was made; jumped tells that the replaced store does not
// know which these are.
func raise(ctx context.Context, copied string, old *claimed) (last uint64, jumped bool, err error) {
	conn, closeFile, err := openExisting(ctx, copied)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	if err := conn.QueryRowContext(ctx, "SELECT "+dbfile.LastSeq+" FROM editlock_meta").Scan(&last); err != nil {
		return 0, false, err
	}
	follows, err := old.follows(ctx, conn)
	if err != nil {
		return 0, false, err
	}
	if last = max(last, old.last); !follows {
		last = beyond(last, time.Now())
	}
	_, err = conn.ExecContext(ctx, "UPDATE editlock_meta SET seq = ?", int64(last))
	return last, !follows, err
}

// replace keeps a copy of the file's content, and gives it that of another.
func (c *claimed) replace(ctx context.Context, with string, now time.Time) (kept string, err error) {
	was := c.path + now.UTC().Format(".replaced-20060102-150405.000")
	if c.file == nil {
		return "", c.appear(with, was)
	}
	if err := c.keep(was); err != nil {
		return "", err
	}
	if c.conn != nil {
		if err = c.transact(ctx, with); err == nil {
			return was, nil
		}
		if !damaged(err) {
			return "", errors.Join(err, os.Remove(was)) // all is as it was
		}
	}
	if err := reserve(c.file, with); err != nil {
		return "", errors.Join(err, os.Remove(was))
	}
	if err := c.aside(was); err != nil {
		return "", err
	}
	if err := overwrite(c.file, with); err != nil {
		return "", fault.New("half_restored", "%w; the store can't be used now, what it was is in %s: restore again", err, was)
	}
	return was, nil
}

// transact gives the file the content of another in one transaction, on the
// connection that has it alone.
func (c *claimed) transact(ctx context.Context, with string) error {
	if _, err := c.conn.ExecContext(ctx, "COMMIT"); err != nil { // the lock stays
		return err
	}
	for _, end := range []string{"-wal", "-shm"} { // empty: the WAL was written back
		if err := os.Remove(c.path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	defer c.sweepJournal()
	return c.conn.Raw(func(conn any) error {
		restorer, ok := conn.(interface {
			NewRestore(from string) (*driver.Backup, error)
		})
		if !ok {
			return errors.New("the driver can't copy databases")
		}
		copying, err := restorer.NewRestore((&url.URL{Scheme: "file", Opaque: (&url.URL{Path: with}).EscapedPath()}).String())
		if err != nil {
			return err
		}
		_, err = copying.Step(-1)
		if ended := copying.Finish(); err == nil {
			err = ended
		}
		return err
	})
}

// sweepJournal removes the journal of a transaction that has ended. SQLite keeps
// it for the next one, with its head blanked.
func (c *claimed) sweepJournal() {
	f, err := os.Open(c.path + "-journal")
	if err != nil {
		return
	}
	head := make([]byte, 1)
	_, err = f.Read(head)
	if _ = f.Close(); head[0] == 0 && (err == nil || errors.Is(err, io.EOF)) {
		_ = os.Remove(c.path + "-journal") // one that stays does no harm
	}
}

// damaged tells whether SQLite can't work with what is in a file.
func damaged(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && slices.Contains([]int{sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}, e.Code()&0xff)
}

// reserve makes a file as large as another, while what is in it can still be
// read.
func reserve(f *os.File, like string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := info.Size(); err == nil && at < size(like); at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), size(like)-at)], at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

// aside moves away what a file that is gone or can't be read left beside it:
// it would be taken for the new one's.
func (c *claimed) aside(was string) error {
	for _, end := range []string{"-wal", "-journal"} {
		if err := os.Rename(c.path+end, was+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(c.path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keep copies the file's content.
func (c *claimed) keep(kept string) (err error) {
	f, err := os.OpenFile(kept, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	info, err := c.file.Stat()
	if err == nil {
		_, err = io.Copy(f, io.NewSectionReader(c.file, 0, info.Size()))
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(kept))
	}
	return owned(kept, c.path)
}

// Where SQLite locks a file, whatever is in it: from the pending byte to the
// end of the shared range. The page with these bytes is never used.
const (
	lockFrom = 0x40000000
	lockSize = 512
)

// headSize is how much of a file is written last: without its header it is
// none that SQLite reads.
const headSize = 512

// noHead is what stands there meanwhile.
func noHead() []byte { return bytes.Repeat([]byte{0xff}, headSize) }

// overwrite gives a file the content of another.
func overwrite(f *os.File, with string) (err error) {
	src, err := os.Open(with)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, headSize)
	if _, err := src.ReadAt(head, 0); err != nil {
		return err
	}
	if _, err := f.WriteAt(noHead(), 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	for _, part := range [][2]int64{{headSize, min(lockFrom, info.Size())}, {lockFrom + lockSize, info.Size()}} {
		if part[0] >= part[1] {
			continue
		}
		if _, err := io.Copy(io.NewOffsetWriter(f, part[0]), io.NewSectionReader(src, part[0], part[1]-part[0])); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Truncate(info.Size()), f.Sync()); err != nil {
		return err
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		return err
	}
	return f.Sync()
}
