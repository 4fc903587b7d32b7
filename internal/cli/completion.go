package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) completion() *cobra.Command {
	return a.command(&cobra.Command{
		Use: "completion SHELL",
		Example: `source <(editlock completion bash)
editlock completion zsh > "${fpath[1]}/_editlock"
editlock completion fish > ~/.config/fish/completions/editlock.fish`,
		Args:      a.arguments("SHELL"),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(a.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(a.stdout, true)
			}
			return a.usage("usage.shell", args[0])
		},
	})
}

// plainFlags rids the flags' lines of the backquotes that mean something to
// the help only, for shells to show.
func plainFlags(root *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	root.Flags().VisitAll(plain)
	root.PersistentFlags().VisitAll(plain)
	for _, cmd := range root.Commands() {
		plainFlags(cmd)
	}
}
