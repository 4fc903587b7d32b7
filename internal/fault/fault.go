// Package fault says what is wrong by a stable code and its arguments, beside
// the English sentence. Translations and programs go by the code; the sentence
// is for people and logs, and may be reworded.
//
// A code is lower_snake. It always has the same number of arguments, in the
// same order. A test in internal/words collects all codes.
package fault

import (
	"fmt"
	"strings"
	"time"

	"github.com/editlock/editlock/internal/duration"
)

// Problem returns a sentence of an *editlock.InvalidError and its arguments as
// texts. Durations are written as people write them.
func Problem(format string, args ...any) (sentence string, texts []string) {
	for i, arg := range args {
		if d, ok := arg.(time.Duration); ok {
			args[i] = duration.Text(d)
		}
		texts = append(texts, strings.ToValidUTF8(fmt.Sprint(args[i]), "\uFFFD")) // they travel as JSON
	}
	return fmt.Sprintf(format, args...), texts
}

// Error is an error with a code. Arguments that are errors are wrapped, and
// stay errors, so that a translation can translate them.
type Error struct {
	Code string
	Args []any
	err  error
}

// New returns an *Error. The format is that of fmt.Errorf.
func New(code, format string, args ...any) error {
	return &Error{Code: code, Args: args, err: fmt.Errorf(format, args...)}
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns what errors.Is and errors.As look through: the arguments of %w.
func (e *Error) Unwrap() error { return e.err }
