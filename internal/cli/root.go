package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock/internal/storeurl"
)

// groups order the commands in the help.
var groups = []string{"hold", "look", "stepin", "more"}

func init() { cobra.EnableCommandSorting = false } // theirs is a global; the groups are in order

func (a *app) root() *cobra.Command {
	root := a.command(&cobra.Command{
		Use: "editlock COMMAND",
		Example: `editlock capture task/42 --session desk-1 --name Ivanov
editlock request task/42
editlock serve --demo`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.Version = programVersion()
	root.SetVersionTemplate(a.versionLine() + "\n")
	root.Flags().Bool("version", false, a.words.Text("version.short"))
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g, Title: a.words.Text("group." + g)})
	}
	root.PersistentFlags().StringVar(&a.store, "store", "", a.words.Text("flag.store"))
	root.PersistentFlags().StringVar(&a.storeFile, "store-file", "", a.words.Text("flag.store_file"))
	root.PersistentFlags().StringVar(&a.credentialFile, "credential-file", "", a.words.Text("flag.credential"))
	root.PersistentFlags().BoolP("help", "h", false, a.words.Text("flag.help"))
	root.PersistentPreRunE = a.findStore
	root.SetHelpFunc(a.help)
	root.SetFlagErrorFunc(a.flagError)

	in := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	in("hold", a.capture(), a.release(), a.run())
	in("look", a.request(), a.list(), a.history(), a.watch())
	in("stepin", a.takeover(), a.forceRelease(), a.releaseSession(), a.handOver(), a.decline())
	storeless := []*cobra.Command{a.keys(), a.token(), a.completion(), a.version()}
	for _, c := range storeless {
		c.PersistentPreRunE = noStore
	}
	in("more", a.serve(), a.mcp(), a.configuration(), a.doctor(), a.backup(), a.restore())
	in("more", storeless...)
	help := a.helpCommand()
	help.PersistentPreRunE = noStore
	help.GroupID = "more"
	root.SetHelpCommand(help)
	root.AddCommand(a.watchdog())
	return root
}

// named gives a command the words of a key.
func (a *app) named(c *cobra.Command, key string) *cobra.Command {
	c.DisableFlagsInUseLine = true
	c.Short = a.words.Text(key + ".short")
	c.Long = a.words.Text(key + ".long")
	return c
}

// command gives a command its words.
func (a *app) command(c *cobra.Command) *cobra.Command {
	return a.named(c, c.Name())
}

// unknownCommand is the error for a command that does not exist, with one
// that is spelled like it.
func (a *app) unknownCommand(root *cobra.Command, name string) error {
	root.SuggestionsMinimumDistance = 2
	if like := root.SuggestionsFor(name); len(like) > 0 {
		return a.usage("usage.did_you", storeurl.Redact(name), like[0])
	}
	return a.usage("usage.command", storeurl.Redact(name))
}

// arguments checks the number of arguments against their names: ID is
// required, [ID] is not.
func (a *app) arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names) && len(names) == 0:
			return a.usage("usage.args.none", storeurl.Redact(args[0])) // perhaps --store is forgotten
		case len(args) > len(names):
			return a.usage("usage.args.extra", storeurl.Redact(args[len(names)]))
		case len(args) < len(names) && !strings.HasPrefix(names[len(args)], "["):
			return a.usage("usage.args.missing", names[len(args)])
		}
		return nil
	}
}
