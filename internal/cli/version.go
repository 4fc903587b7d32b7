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
			a.say(a.words.Text("version", release(), runtime.Version()))
			return nil
		},
	})
}

// release is the program's version.
func release() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
