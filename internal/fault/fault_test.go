package fault_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/fault"
)

func TestProblem_HasItsArgumentsAsTexts(t *testing.T) {
	sentence, texts := fault.Problem("is %v, %d and %q", 90*time.Minute, 7, "\x8c")
	if want := `is 1h30m, 7 and "\x8c"`; sentence != want {
		t.Errorf("got %q, want %q", sentence, want)
	}
	if diff := cmp.Diff([]string{"1h30m", "7", "\uFFFD"}, texts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestError_WrapsItsArguments(t *testing.T) {
	err := fault.New("no_such_file", "%s: no such file (%w)", "a.db", fs.ErrNotExist)
	if got, want := err.Error(), "a.db: no such file (file does not exist)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var f *fault.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &f) || f.Code != "no_such_file" || len(f.Args) != 2 {
		t.Errorf("got %#v", err)
	}
}
