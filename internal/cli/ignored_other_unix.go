//go:build unix && !linux

package cli

import (
	"os/signal"
	"syscall"
)

// ignored reports whether this process was started with a signal ignored, as far
// as package os/signal knows.
func ignored(s syscall.Signal) bool { return signal.Ignored(s) }
