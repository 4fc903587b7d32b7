package enginetest

import (
	"os"
	"path/filepath"
	"syscall"
)

// SmallDisk is a folder with a file system of its own, of 24 MiB. The error
// says why none can be mounted here.
func SmallDisk(t TB) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		return "", err
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, nil
}

// FillDisk writes a file that leaves so many bytes of its file system free.
func FillDisk(t TB, file string, free int) {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(file), &fs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, int64(fs.Bavail)*fs.Bsize-int64(free)), 0o600); err != nil {
		t.Fatal(err)
	}
}
