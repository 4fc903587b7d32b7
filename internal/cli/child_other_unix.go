//go:build unix && !linux

package cli

import (
	"syscall"
)

// endWithParent does nothing: only Linux can do it. The watchdog is left.
func endWithParent(*syscall.SysProcAttr) {}
