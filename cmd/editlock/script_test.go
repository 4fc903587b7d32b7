package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// heedSignals undoes for the programs that tests start what their caller
// ignores, as nohup does with SIGHUP: a signal with a handler is reset to its
// default in a child. Scripts ignore signals by themselves.
var heedSignals = sync.OnceFunc(func() {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
})

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"editlock": main, "get": getMain, "bearer": bearerMain, "sql": sqlMain})
}

// The program itself: help, languages, serve, run.
func TestProgram(t *testing.T) {
	testscript.Run(t, params("testdata/program", func(env *testscript.Env) error {
		env.Setenv("EDITLOCK_STORE", "sqlite:"+filepath.Join(env.WorkDir, "locks.db"))
		return nil
	}))
}

// The locks, on a file without a server.
func TestLocks_OnSQLite(t *testing.T) {
	testscript.Run(t, params("testdata/locks", func(env *testscript.Env) error {
		env.Setenv("EDITLOCK_STORE", "sqlite:"+filepath.Join(env.WorkDir, "locks.db"))
		return nil
	}))
}

// The same scripts on a running server.
func TestLocks_OnAServer(t *testing.T) {
	testscript.Run(t, params("testdata/locks", func(env *testscript.Env) error {
		p, err := start(env.WorkDir, env.Vars, filepath.Join(env.WorkDir, ".server"), []string{
			"editlock", "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:" + filepath.Join(env.WorkDir, "server.db"),
		})
		if err != nil {
			return err
		}
		env.Defer(p.kill)
		var url string
		if !eventually(func() bool {
			out, _ := os.ReadFile(p.file + ".out")
			url = strings.TrimSuffix(regexp.MustCompile(`http://\S+/`).FindString(string(out)), "/")
			return url != ""
		}) {
			log, _ := os.ReadFile(p.file + ".err")
			return errors.New("the server did not start: " + string(log))
		}
		env.Setenv("EDITLOCK_STORE", url)
		return nil
	}))
}

func params(dir string, setup func(*testscript.Env) error) testscript.Params {
	heedSignals()
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			// Under the race detector each program would end with a nap of 1 s.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			env.Values[started{}] = map[string]*process{}
			return setup(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"await":  await,
			"start":  startCommand,
			"signal": signalCommand,
			"ended":  endedCommand,
			"setenv": setenv,
		},
	}
}

// started is the key of a script's background processes, by name.
type started struct{}

func processes(ts *testscript.TestScript) map[string]*process {
	return ts.Value(started{}).(map[string]*process)
}

func named(ts *testscript.TestScript, name string) *process {
	p := processes(ts)[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

// exits STATUS COMMAND [ARGUMENT...] runs a command that must end with the
// status given.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARGUMENT...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var status *exec.ExitError
		if !errors.As(err, &status) {
			ts.Fatalf("%v", err)
		}
		got = status.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// await PATTERN COMMAND [ARGUMENT...] runs a command until what it prints
// matches; ! await, until it does not.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] await PATTERN COMMAND [ARGUMENT...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	last := ""
	if !eventually(func() bool {
		_ = ts.Exec(args[1], args[2:]...) // what it prints counts
		last = ts.ReadFile("stdout") + ts.ReadFile("stderr")
		return pattern.MatchString(last) != neg
	}) {
		ts.Fatalf("waited %v; the last output was:\n%s", patience, last)
	}
}

// eventually calls done until it is true, for as long as patience lasts.
func eventually(done func() bool) bool {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if done() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// start NAME COMMAND [ARGUMENT...] runs a command in the background, its
// output going to the files NAME.out and NAME.err.
func startCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND [ARGUMENT...]")
	}
	p, err := start(ts.MkAbs("."), environ(ts), ts.MkAbs(args[0]), args[1:])
	ts.Check(err)
	processes(ts)[args[0]] = p
	ts.Defer(p.kill)
}

// environ is what of the script's environment these scripts change.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "EDITLOCK_STORE", "WORK", "GOCOVERDIR", "GORACE",
	} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// signal NAME SIGNAL sends a signal to a process started before.
func signalCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME SIGNAL")
	}
	s, ok := map[string]os.Signal{
		"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": os.Kill,
		"TSTP": syscall.Signal(20), // on Linux
	}[args[1]]
	if !ok {
		ts.Fatalf("%s is not a known signal", args[1])
	}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(s))
}

// ended NAME STATUS waits for the end of a process started before, and for it
// to end with the status given; a signal that ended it has its name.
func endedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	p := named(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s has not ended after %v", args[0], patience)
	}
	state := p.cmd.ProcessState
	got := strconv.Itoa(state.ExitCode())
	if state.ExitCode() < 0 {
		got = state.String()
	}
	if got != args[1] {
		text, _ := os.ReadFile(p.file + ".err")
		ts.Fatalf("%s ended with %s, want %s; it said:\n%s", args[0], got, args[1], text)
	}
}

// setenv NAME PATTERN FILE sets a variable to the pattern's first group in a
// file, waiting for it.
func setenv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: setenv NAME PATTERN FILE")
	}
	pattern := regexp.MustCompile("(?m)" + args[1])
	if !eventually(func() bool {
		found := pattern.FindStringSubmatch(ts.ReadFile(args[2]))
		if found == nil {
			return false
		}
		ts.Setenv(args[0], found[1])
		return true
	}) {
		ts.Fatalf("%s not found in %s:\n%s", args[1], args[2], ts.ReadFile(args[2]))
	}
}

// process is a background process of a script.
type process struct {
	cmd  *exec.Cmd
	file string // and .out, .err
	done chan struct{}
}

func start(dir string, env []string, file string, args []string) (*process, error) {
	path, err := lookPath(env, args[0])
	if err != nil {
		return nil, err
	}
	out, err := os.Create(file + ".out")
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	errs, err := os.Create(file + ".err")
	if err != nil {
		return nil, err
	}
	defer func() { _ = errs.Close() }()
	p := &process{cmd: exec.CommandContext(context.Background(), path, args[1:]...), file: file, done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, out, errs
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its ProcessState tells
	}()
	return p, nil
}

// lookPath finds a command in the script's PATH.
func lookPath(env []string, name string) (string, error) {
	for _, setting := range env {
		list, ok := strings.CutPrefix(setting, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", errors.New(name + " is not in PATH")
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
