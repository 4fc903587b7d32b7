//go:build !linux

package cli

import "runtime"

// keepsModes tells whether files have POSIX's modes.
const keepsModes = runtime.GOOS != "windows"

// fileSystemInfo is what a file system says of itself.
type fileSystemInfo struct {
	free    int64
	network string
}

// fileSystem knows Linux only.
func fileSystem(string) (about fileSystemInfo, ok bool) { return about, false }

// clockKept knows Linux only.
func clockKept() bool { return true }
