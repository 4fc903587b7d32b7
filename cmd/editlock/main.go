// Editlock captures, watches and serves named mutexes with human owners.
// “editlock help” explains it.
package main

import (
	"context"
	"os"

	"github.com/editlock/editlock/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
