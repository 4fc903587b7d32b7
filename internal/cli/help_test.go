package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock/internal/words"
)

func newApp(w *words.Printer) *app {
	return &app{stdin: strings.NewReader(""), stdout: new(bytes.Buffer), stderr: new(bytes.Buffer), words: w}
}

// everyCommand calls f for the program and each command that people see.
func everyCommand(root *cobra.Command, f func(*cobra.Command)) {
	f(root)
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			f(cmd)
		}
		for _, sub := range cmd.Commands() {
			f(sub)
		}
	}
}

func TestHelp_TeachesEachCommand(t *testing.T) {
	for _, w := range []*words.Printer{words.English, words.Russian} {
		everyCommand(newApp(w).root(), func(cmd *cobra.Command) {
			t.Run(w.Language()+"/"+cmd.Name(), func(t *testing.T) {
				if strings.HasSuffix(cmd.Short, ".short") || strings.HasSuffix(cmd.Short, ".") {
					t.Errorf("its line is %q", cmd.Short)
				}
				if strings.HasSuffix(cmd.Long, ".long") || len(cmd.Long) < 40 {
					t.Errorf("its paragraph is %q", cmd.Long)
				}
				if n := len(examples(cmd)); n < 1 || n > 3 {
					t.Errorf("it has %d examples, want 1 to 3", n)
				}
				cmd.Flags().VisitAll(func(f *pflag.Flag) {
					if strings.HasPrefix(f.Usage, "flag.") {
						t.Errorf("--%s has no words", f.Name)
					}
				})
			})
		})
	}
}

// examples are the calls of editlock in a command's examples.
func examples(cmd *cobra.Command) []string {
	var out []string
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		if i := strings.Index(line, "editlock "); i >= 0 {
			out = append(out, strings.TrimRight(line[i:], ")"))
		}
	}
	return out
}

func TestHelp_ExamplesAreWellFormed(t *testing.T) {
	everyCommand(newApp(words.English).root(), func(cmd *cobra.Command) {
		for _, line := range examples(cmd) {
			t.Run(line, func(t *testing.T) {
				root := newApp(words.English).root() // flags keep what they are given
				called, args, err := root.Find(shellWords(line)[1:])
				if err != nil {
					t.Fatal(err)
				}
				if cmd != cmd.Root() && called.Name() != cmd.Name() && called.Parent().Name() != cmd.Name() {
					t.Errorf("an example of %s calls %s", cmd.Name(), called.Name())
				}
				if err := called.ParseFlags(args); err != nil {
					t.Fatal(err)
				}
				if err := called.ValidateArgs(called.Flags().Args()); err != nil {
					t.Error(err)
				}
				if called.PreRunE != nil {
					if err := called.PreRunE(called, called.Flags().Args()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	})
}

// shellWords splits a line as a shell does, up to a redirection; there is no
// more to it than double quotes here.
func shellWords(line string) []string {
	line, _, _ = strings.Cut(line, " > ")
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func TestHelp_FitsATerminal(t *testing.T) {
	for _, w := range []*words.Printer{words.English, words.Russian} {
		everyCommand(newApp(w).root(), func(cmd *cobra.Command) {
			var out bytes.Buffer
			cmd.Root().SetOut(&out)
			if err := cmd.Help(); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(out.String(), indent(cmd.Example), "")
			for line := range strings.SplitSeq(text, "\n") {
				if n := len([]rune(line)); n > helpWidth {
					t.Errorf("%s %s: a line of %d characters: %s", w.Language(), cmd.Name(), n, line)
				}
			}
		})
	}
}

func TestFlagOf_NamesFlagsThatExist(t *testing.T) {
	known := map[string]bool{"store": true}
	everyCommand(newApp(words.English).root(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	})
	for field, name := range flagOf {
		if !known[name] {
			t.Errorf("%s is said to come from --%s, which no command has", field, name)
		}
	}
}
