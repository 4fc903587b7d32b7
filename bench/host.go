package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// host starts database servers as tests do, outside of a test: it is their
// enginetest.TB.
type host struct {
	ctx   context.Context
	dir   string
	undos []func()
}

// failure is what a host's Fatal panics with.
type failure struct{ error }

// onHost runs f and stops what it started.
func onHost(ctx context.Context, dir string, f func(h *host) error) (err error) {
	h := &host{ctx: ctx, dir: dir}
	defer func() {
		cause := recover()
		for _, undo := range slices.Backward(h.undos) {
			undo()
		}
		switch failed, ours := cause.(failure); {
		case ours:
			err = errors.Join(err, failed.error)
		case cause != nil:
			panic(cause)
		}
	}()
	return f(h)
}

func (h *host) Helper() {}

func (h *host) Error(args ...any) { fmt.Fprintln(os.Stderr, args...) }

func (h *host) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

func (h *host) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

func (h *host) Cleanup(f func()) { h.undos = append(h.undos, f) }

func (h *host) Context() context.Context { return h.ctx }

func (h *host) TempDir() string {
	dir, err := os.MkdirTemp(h.dir, "server-")
	if err != nil {
		h.Fatal(err)
	}
	return dir
}

// must is the value, or the end of the section.
func must[T any](v T, err error) T {
	if err != nil {
		panic(failure{err})
	}
	return v
}
