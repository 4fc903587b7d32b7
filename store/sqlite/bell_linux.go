package sqlite

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// bell wakes the processes that have a file open when one of them has committed
// news. It is the times of the -shm file: one call sets them and writes to no
// disk, and inotify reports it to all. What it reports of the WAL comes too
// early, before others can read what was written.
type bell struct {
	path    string
	changes *os.File // nil: rings are not heard
	buf     [4096]byte
}

// hang makes the bell of a -shm file. If there is no inotify instance left,
// rings are not heard.
func (b *bell) hang(shm string) {
	b.path = shm
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return
	}
	if _, err := unix.InotifyAddWatch(fd, shm, unix.IN_ATTRIB); err != nil {
		_ = unix.Close(fd)
		return
	}
	b.changes = os.NewFile(uintptr(fd), "inotify")
}

// ring wakes all processes, the present one included.
func (b *bell) ring() {
	now := unix.Timespec{Nsec: unix.UTIME_NOW}
	_ = unix.UtimesNanoAt(unix.AT_FDCWD, b.path, []unix.Timespec{now, now}, 0)
}

// wait returns after a ring, after d, or when ctx ends and take has been called.
func (b *bell) wait(ctx context.Context, d time.Duration) {
	if b.changes != nil && b.changes.SetReadDeadline(time.Now().Add(d)) == nil {
		if _, err := b.changes.Read(b.buf[:]); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
	pause(ctx, d)
}

// take takes the bell down.
func (b *bell) take() {
	if b.changes != nil {
		_ = b.changes.Close()
	}
}
