//go:build unix && !linux

package cli

import (
	"syscall"
)

// endWithParent does nothing: only Linux can do it. The guard is left.
func endWithParent(*syscall.SysProcAttr) {}
