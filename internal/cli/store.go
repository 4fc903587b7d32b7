package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/storeurl"
)

// A store's URL may hold a password, and every user of the machine can read the
// arguments of a process. So it may come from a file, or the environment.
const (
	storeVariable     = "EDITLOCK_STORE"
	storeFileVariable = storeVariable + "_FILE"

	maxStoreFile = 64 << 10
)

// findStore reads the URL that a file holds, as if it were the flag's, and warns
// of one with a password on the command line.
func (a *app) findStore(cmd *cobra.Command, _ []string) error {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return nil
	}
	flag, file := cmd.Flags().Changed("store"), cmd.Flags().Changed("store-file")
	a.storeFrom = config.Source{Kind: config.FlagGiven, Name: "--store-file"}
	switch {
	case flag && file:
		return a.usage("usage.store.both", "--store", "--store-file")
	case flag:
		a.storeFrom, a.storeFile = config.Source{}, ""
		if storeurl.HasSecret(a.store) {
			a.note(a.words.Text("store.shown"))
		}
		return nil
	case !file:
		a.storeFrom = config.Source{Kind: config.Environment, Name: storeFileVariable}
		if a.storeFile = a.getenv(storeFileVariable); a.storeFile == "" {
			a.storeFrom = config.Source{}
			return nil
		}
		if a.getenv(storeVariable) != "" {
			return a.usage("usage.store.both", storeVariable, storeFileVariable)
		}
	}
	url, err := readStoreFile(a.storeFile)
	if err != nil {
		return fmt.Errorf("%s: %w", a.storeFrom.Name, err)
	}
	return cmd.Flags().Set("store", url)
}

// noStore is for commands that have no use for one.
func noStore(*cobra.Command, []string) error { return nil }

// readStoreFile returns the URL in a file. Its errors don't show what is in it.
func readStoreFile(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", withoutOp(err)
	case !info.Mode().IsRegular() || info.Size() > maxStoreFile:
		return "", fmt.Errorf("%s: must be a regular file of at most %d bytes", path, maxStoreFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", withoutOp(err)
	}
	url := strings.TrimSpace(string(data))
	if url == "" || strings.ContainsAny(url, "\r\n") {
		return "", fmt.Errorf("%s: must hold the URL of a store, in one line", path)
	}
	return url, nil
}
