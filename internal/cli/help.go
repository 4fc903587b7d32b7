package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const helpWidth = 80

// help prints the help of a command: its line, its paragraphs, how to call
// it, examples, and its commands or flags.
func (a *app) help(cmd *cobra.Command, _ []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n%s\n", cmd.CommandPath(), cmd.Short, wrap(cmd.Long, helpWidth))
	fmt.Fprintf(&b, "\n%s:\n  %s\n", a.words.Text("help.usage"), cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\n%s:\n%s\n", a.words.Text("help.examples"), indent(cmd.Example))
	}
	for _, g := range cmd.Groups() {
		fmt.Fprintf(&b, "\n%s:\n", g.Title)
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && !c.Hidden {
				fmt.Fprintf(&b, "  %-16s %s\n", c.Name(), c.Short)
			}
		}
	}
	if len(cmd.Groups()) == 0 && cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s:\n", a.words.Text("help.commands"))
		for _, c := range cmd.Commands() {
			fmt.Fprintf(&b, "  %-16s %s\n", c.Name(), c.Short)
		}
	}
	a.flagHelp(&b, "help.flags", cmd.LocalNonPersistentFlags())
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.AddFlagSet(cmd.Root().PersistentFlags())
	a.flagHelp(&b, "help.global", all)
	if cmd == cmd.Root() {
		fmt.Fprintf(&b, "\n%s\n", a.words.Text("help.more"))
	}
	_, _ = io.WriteString(cmd.OutOrStdout(), b.String())
}

func (a *app) flagHelp(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", a.words.Text(title))
	flags.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		text := strings.ReplaceAll(wrap(usage, helpWidth-28), "\n", "\n"+strings.Repeat(" ", 28))
		if utf8.RuneCountInString(name) > 24 {
			fmt.Fprintf(b, "  %s\n%28s%s\n", name, "", text)
			return
		}
		fmt.Fprintf(b, "  %-25s %s\n", name, text)
	})
}

// wrap breaks the lines of each paragraph again, at most width characters long.
func wrap(text string, width int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		var b strings.Builder
		at := 0
		for _, word := range strings.Fields(p) {
			n := utf8.RuneCountInString(word)
			switch {
			case at == 0:
			case at+1+n > width:
				b.WriteByte('\n')
				at = 0
			default:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += n
		}
		paragraphs[i] = b.String()
	}
	return strings.Join(paragraphs, "\n\n")
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// helpCommand explains a command by its name.
func (a *app) helpCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:     "help [COMMAND]",
		Example: "editlock help capture",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 && about == cmd.Root() {
				return a.unknownCommand(cmd.Root(), args[0])
			}
			return about.Help()
		},
	})
}
