package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return a.command(&cobra.Command{
		Use:     "version",
		Example: "editlock version",
		Args:    a.arguments(),
		RunE: func(*cobra.Command, []string) error {
			version := "(devel)"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				version = info.Main.Version
			}
			a.say(a.words.Text("version", version, runtime.Version()))
			return nil
		},
	})
}
