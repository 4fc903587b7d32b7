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
			a.say(a.versionLine())
			return nil
		},
	})
}

// versionLine is what editlock version and editlock --version print.
func (a *app) versionLine() string {
	return a.words.Text("version", programVersion(), runtime.Version())
}

// release is the version of a release build: -ldflags "-X github.com/editlock/editlock/internal/cli.release=1.2.3".
var release string

// programVersion is what was built: a release, or what Go knows of the module.
func programVersion() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
