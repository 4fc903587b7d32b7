// Command goeditlock calls Go's EditLock once, for the tests of the Python
// client: goeditlock URL SESSION NAME VERB OBJECT MODE REQUEST. It prints
// "true" or "false" for check, "ok", or "refused" and the error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	const words = 7
	if len(args) != words {
		return fmt.Errorf("%d arguments, want %d", len(args), words)
	}
	locker, err := client.New(args[0], nil)
	if err != nil {
		return err
	}
	defer locker.Close()
	ctx := editlock.WithOwner(context.Background(), editlock.Owner{Session: args[1], Name: args[2]})
	said, err := call(ctx, editlock.EditLock{Locker: locker}, args[3], args[4], args[5], args[6])
	if errors.Is(err, editlock.ErrBusy) || errors.Is(err, editlock.ErrLost) {
		said, err = "refused: "+err.Error(), nil
	}
	if err != nil {
		return err
	}
	fmt.Println(said)
	return nil
}

func call(ctx context.Context, lock editlock.EditLock, verb, object, mode, request string) (string, error) {
	switch verb {
	case "check":
		free, err := lock.Check(ctx, object, mode, request)
		return fmt.Sprint(free), err
	case "block":
		return "ok", lock.Block(ctx, object, mode, request)
	case "refresh":
		return "ok", lock.Refresh(ctx, object, mode, request)
	case "release":
		return "ok", lock.Release(ctx, object, mode, request)
	}
	return "", fmt.Errorf("an unknown verb, %q", verb)
}
