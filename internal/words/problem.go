package words

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"

	"github.com/editlock/editlock"
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

// coded is the sentence of a code with its arguments.
func (p *Printer) coded(code string, args []any, english string) string {
	format, known := problems[code]
	if p.tag == language.English || !known || arguments(format) != len(args) {
		return english
	}
	return fmt.Sprintf(format, args...)
}

// arguments is how many arguments a format of problems takes.
func arguments(format string) int {
	return strings.Count(strings.ReplaceAll(format, "%%", ""), "%")
}
