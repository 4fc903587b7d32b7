package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

// side is one commit of editlock in a comparison.
type side struct {
	name    string // of the commit
	tree    string // its folder
	program string // its contender
}

// knows reports whether the side has an engine: older commits lack some.
func (s side) knows(e engine) bool {
	_, err := os.Stat(filepath.Join(s.tree, "store", e.name))
	return err == nil
}

// sides builds both sides of a comparison, BASE or BASE..HEAD. Without HEAD the
// second is the tree that this program was built in, as it is.
func (b *bench) sides(ctx context.Context, commits string) (both [2]side, err error) {
	tree, err := output(ctx, ".", "go", "list", "-m", "-f", "{{.Dir}}", module())
	if err != nil {
		return both, err
	}
	base, head, _ := strings.Cut(commits, "..")
	if both[0], err = b.checkedOut(ctx, tree, base); err != nil {
		return both, err
	}
	if head != "" {
		both[1], err = b.checkedOut(ctx, tree, head)
		return both, err
	}
	if both[1].name, err = output(ctx, tree, "git", "describe", "--always", "--dirty", "--exclude=*"); err != nil {
		return both, err
	}
	both[1].tree = tree
	both[1].program, err = b.contender(ctx, tree, tree)
	return both, err
}

// checkedOut builds the side of a commit, in a clone that shares the objects of
// the repository and leaves no trace there.
func (b *bench) checkedOut(ctx context.Context, tree, commit string) (s side, err error) {
	full, err := output(ctx, tree, "git", "rev-parse", "--verify", "--quiet", commit+"^{commit}")
	if err != nil {
		return s, fmt.Errorf("%s: not a commit of this repository", commit)
	}
	if s.name, err = output(ctx, tree, "git", "rev-parse", "--short", full); err != nil {
		return s, err
	}
	clone, err := os.MkdirTemp(b.dir, "tree-")
	if err != nil {
		return s, err
	}
	s.tree = clone
	if _, err := output(ctx, tree, "git", "clone", "--quiet", "--shared", "--no-checkout", ".", clone); err != nil {
		return s, err
	}
	if _, err := output(ctx, clone, "git", "checkout", "--quiet", "--detach", full); err != nil {
		return s, err
	}
	s.program, err = b.contender(ctx, tree, clone)
	return s, err
}

// module is the path of the module of editlock that this program is built with.
func module() string { return reflect.TypeFor[editlock.Mutex]().PkgPath() }

// contender builds the program of bench/contender as a part of another tree:
// with that tree's editlock, whatever its module is called, and with the
// versions that its go.mod asks for.
func (b *bench) contender(ctx context.Context, tree, of string) (program string, err error) {
	dir, err := os.MkdirTemp(b.dir, "contender-")
	if err != nil {
		return "", err
	}
	name, err := output(ctx, of, "go", "list", "-m")
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(tree, "bench", "contender", "main.go"))
	if err != nil {
		return "", err
	}
	source = bytes.ReplaceAll(source, []byte("\t\""+module()), []byte("\t\""+name))
	main := filepath.Join(dir, "main.go")
	if err := os.WriteFile(main, source, 0o600); err != nil {
		return "", err
	}
	overlay, _ := json.Marshal(map[string]any{"Replace": map[string]string{ // strings: can't fail
		filepath.Join(of, "cmd", "contender", "main.go"): main,
	}})
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "contender.exe") // Windows wants the ending, others don't mind
	_, err = output(ctx, of, "go", "build", "-buildvcs=false", "-overlay", list, "-o", program, "./cmd/contender")
	return program, err
}

// output runs a command in a folder.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %w\n%s", name, args[0], err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// process is a contender that has a store open.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// reply is a contender's line of output.
type reply struct {
	Error  string
	Took   []time.Duration
	Wall   time.Duration
	Allocs float64
	At     int64
}

// open starts a contender on a store; the host ends it.
func (s side) open(ctx context.Context, h *host, url string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, s.program, url)}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	h.Cleanup(p.close)
	_, err = p.hear()
	return p, err
}

// close ends the process, if it has not ended yet.
func (p *process) close() {
	_ = p.in.Close()
	_ = p.cmd.Wait() // what it has measured counts
}

func (p *process) hear() (r reply, err error) {
	if err := p.out.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: %w", p.cmd, err)
	}
	if r.Error != "" {
		err = fmt.Errorf("%s: %s", p.cmd, r.Error)
	}
	return r, err
}

// say sends a line, whose answer is to be heard.
func (p *process) say(words ...any) error {
	_, err := fmt.Fprintln(p.in, words...)
	return err
}

// ask sends a line and returns the answer.
func (p *process) ask(words ...any) (reply, error) {
	if err := p.say(words...); err != nil {
		return reply{}, fmt.Errorf("%s: %w", p.cmd, err)
	}
	return p.hear()
}

// pairs lets clients in the process capture and release for a time.
func (p *process) pairs(clients int) func(time.Duration) ([]time.Duration, time.Duration, error) {
	return func(d time.Duration) ([]time.Duration, time.Duration, error) {
		r, err := p.ask("pairs", clients, d.Nanoseconds())
		return r.Took, r.Wall, err
	}
}
