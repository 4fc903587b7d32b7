package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is the other end of one: it types and reads what is shown.
type terminal struct {
	t      *testing.T
	master *os.File

	mu    sync.Mutex
	shown strings.Builder
}

// openTerminal runs a shell script at a terminal of its own, with job control.
func openTerminal(t *testing.T, script string) *terminal {
	t.Helper()
	heedSignals()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number int
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slave.Close() }()

	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "editlock")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-m", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "EDITLOCK_STORE=sqlite:locks.db", "LC_ALL=C")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 1024)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return // the last process at the terminal has ended
			}
			term.mu.Lock()
			term.shown.Write(buf[:n])
			term.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = master.Close()
		<-read
	})
	return term
}

func (term *terminal) types(text string) {
	term.t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// shows waits for a text to be shown.
func (term *terminal) shows(text string) {
	term.t.Helper()
	var shown string
	if !eventually(func() bool {
		term.mu.Lock()
		defer term.mu.Unlock()
		shown = term.shown.String()
		return strings.Contains(shown, text)
	}) {
		term.t.Fatalf("%q was not shown; this was:\n%s", text, shown)
	}
}

func TestRun_AtATerminal(t *testing.T) {
	t.Parallel()
	t.Run("the command reads, stops and goes on as any job", func(t *testing.T) {
		term := openTerminal(t, `
			editlock run doc/1 -- sh -c 'echo ready; read a; echo "first $a"; read b; echo "second $b"'
			echo "stopped with $?"
			editlock request doc/1 | head -1
			fg
			echo "ended with $?"
			editlock request doc/1 | head -1
			read c; echo "the shell has $c"`)
		term.shows("ready")
		term.types("one\n")
		term.shows("first one")
		term.types("\x1a") // Ctrl-Z
		term.shows("stopped with 147")
		term.shows("CAPTURED_BY_OTHER")
		term.types("two\n")
		term.shows("second two")
		term.shows("ended with 0")
		term.shows("FREE")
		term.types("it back\n")
		term.shows("the shell has it back")
	})

	t.Run("a background job that wants to read stops until it is in the foreground", func(t *testing.T) {
		term := openTerminal(t, `
			editlock run doc/1 -- sh -c 'read a; echo "got $a"; exit 4' &
			pid=$!
			until ps -o stat= -p $pid | grep -q T; do sleep 0.05; done
			echo stopped
			fg
			echo "ended with $?"`)
		term.shows("stopped")
		term.types("one\n")
		term.shows("got one")
		term.shows("ended with 4")
	})

	t.Run("Ctrl-C is the command's", func(t *testing.T) {
		term := openTerminal(t, `
			editlock run doc/1 -- sh -c 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done'
			echo "ended with $?"
			editlock request doc/1 | head -1`)
		term.shows("ready")
		term.types("\x03")
		term.shows("caught")
		term.shows("ended with 9")
		term.shows("FREE")
	})
	t.Run("Ctrl-Z stops a command that has no terminal of its own too", func(t *testing.T) {
		term := openTerminal(t, `
			: >in
			editlock run doc/1 -- sh -c 'echo $$ >pid; echo ready; until [ -e go ]; do sleep 0.05; done; echo done' <in
			echo "stopped with $?"
			until ps -o stat= -p $(cat pid) | grep -q T; do sleep 0.05; done
			echo the command too
			touch go; sleep 0.3; ps -o stat= -p $(cat pid) | grep T && echo still
			fg
			echo "ended with $?"`)
		term.shows("ready")
		term.types("\x1a")
		term.shows("stopped with 147")
		term.shows("the command too")
		term.shows("still")
		term.shows("ended with 0")
	})

	t.Run("Ctrl-Z leaves a shared file to others, with or without a terminal of its own, and before the capture", func(t *testing.T) {
		term := openTerminal(t, `
			: >in
			editlock capture held/1 --session other >captured
			cat >try.sh <<'EOF'
			n=0
			while [ $n -lt 8 ]; do
				n=$((n+1))
				ps -o stat= -p $1 | grep -q T || exit 1
				kill -CONT $1; sleep 0.0$n
				kill -TSTP $1
				until ps -o stat= -p $1 | grep -q T; do sleep 0.01; done
				sql locks.db "PRAGMA busy_timeout=0; BEGIN IMMEDIATE; ROLLBACK" || exit 1
			done
EOF
			for what in "run doc/1 -- sleep 60" "run held/1 --wait 60s -- true" "watch" "serve --listen 127.0.0.1:0"; do
				editlock $what <in &
				sleep 0.7
				kill -TSTP $!
				until ps -o stat= -p $! | grep -q T; do sleep 0.01; done
				sh try.sh $! && echo "fine: $what"
				kill -KILL $!
			done`)
		term.shows("fine: run doc/1")
		term.shows("fine: run held/1")
		term.shows("fine: watch")
		term.shows("fine: serve")
	})
}
