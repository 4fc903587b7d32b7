package cli

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ignored reports whether this process was started with a signal ignored. Package
// os/signal knows that of SIGHUP and SIGINT only.
func ignored(s syscall.Signal) bool {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if hex, ok := strings.CutPrefix(lines.Text(), "SigIgn:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && set>>(uint(s)-1)&1 == 1
		}
	}
	return false
}
