//go:build !windows

package enginetest

import "syscall"

// stop is the signal that freezes a process.
const stop = syscall.SIGSTOP
