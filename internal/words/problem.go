package words

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/text/language"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
)

// invalid tells what is wrong with an argument: by its code, or in English if the
// code is not known here, as that of a newer server.
func (p *Printer) invalid(e *editlock.InvalidError) string {
	args := make([]any, len(e.Args))
	for i, arg := range e.Args {
		args[i] = arg
	}
	return Plain(e.Field) + " " + Plain(p.coded(e.Code, args, e.Problem))
}

// Explain translates what an error and those that it wraps say by their codes.
// What has no code stays as it is, such as the words of a driver.
func (p *Printer) Explain(err error) string {
	text := err.Error()
	if p.tag == language.English {
		return text
	}
	switch e := err.(type) { //nolint:errorlint // each layer tells of itself
	case *fault.Error:
		args := make([]any, len(e.Args))
		for i, arg := range e.Args {
			if cause, ok := arg.(error); ok {
				arg = p.Explain(cause)
			}
			args[i], _ = fault.Problem("%v", arg)
		}
		return p.coded(e.Code, args, text)
	case *editlock.InvalidError:
		return p.invalid(e)
	case *fs.PathError:
		switch {
		case errors.Is(e, fs.ErrNotExist):
			return p.Text("error.no_file", e.Path)
		case errors.Is(e, fs.ErrPermission):
			return p.Text("error.no_right", e.Path)
		}
		return text
	case interface{ Unwrap() error }:
		return p.within(text, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text = p.within(text, inner)
		}
	}
	return text
}

// within translates the part of a text that is of a wrapped error.
func (p *Printer) within(text string, inner error) string {
	if inner == nil || inner.Error() == "" {
		return text
	}
	front, back, found := strings.Cut(text, inner.Error())
	if !found {
		return text
	}
	return front + p.Explain(inner) + back
}

// coded is the sentence of a code with its arguments.
func (p *Printer) coded(code string, args []any, english string) string {
	format, known := problems[code]
	if p.tag == language.English || !known || arguments(format) != len(args) {
		return english
	}
	if code == "too_many_parts" { // which form is allowed, as "mode/id or group/mode/id"
		args[1] = strings.ReplaceAll(fmt.Sprint(args[1]), " or ", " или ")
	}
	return fmt.Sprintf(format, args...)
}

// arguments is how many arguments a format of problems takes.
func arguments(format string) int {
	return strings.Count(strings.ReplaceAll(format, "%%", ""), "%")
}
