//go:build unix

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

const watchdogName = "run-watchdog"

// watchdog is a process that kills the command's group should this one be killed
// with SIGKILL, which nothing in this process could notice. It hears of that
// by the end of its standard input.
type watchdog struct {
	cmd *exec.Cmd
	say io.WriteCloser
}

func startWatchdog() (*watchdog, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := &watchdog{cmd: &exec.Cmd{
		Path: self, Args: []string{os.Args[0], watchdogName},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // out of reach of Ctrl-C
	}}
	if g.say, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return g, g.cmd.Start()
}

// protect tells the watchdog whom to kill.
func (g *watchdog) protect(group int) {
	_, _ = io.WriteString(g.say, strconv.Itoa(group)+"\n")
}

// dismiss ends the watchdog; nobody is killed.
func (g *watchdog) dismiss() {
	_, _ = io.WriteString(g.say, "done\n")
	_ = g.say.Close()
	_ = g.cmd.Wait()
}

// watchdog is the other side: the command that is this process's watchdog.
func (a *app) watchdog() *cobra.Command {
	return &cobra.Command{
		Use:    watchdogName,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			group := 0
			for lines := bufio.NewScanner(a.stdin); lines.Scan(); {
				line := strings.TrimSpace(lines.Text())
				if line == "done" {
					return nil
				}
				if n, err := strconv.Atoi(line); err == nil && n > 1 {
					group = n
				}
			}
			if group > 1 {
				_ = unix.Kill(-group, unix.SIGKILL)
			}
			return nil
		},
	}
}
