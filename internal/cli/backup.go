package cli

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock/connect"
)

func (a *app) backup() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "backup FILE",
		Example: `editlock backup /backup/locks.db --store sqlite:/var/lib/editlock/locks.db
editlock backup /backup/today.db --force`,
		Args: a.arguments("FILE"),
	})
	force := false
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&force, "force", false, a.words.Text("flag.force"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := a.ownTool(); err != nil {
			return err
		}
		o := &connect.BackupOptions{Progress: a.progress(), Replace: force}
		if err := connect.Backup(ctx, a.storeURL(), args[0], o); err != nil {
			return err
		}
		d, err := connect.Describe(ctx, args[0])
		if err != nil {
			return err
		}
		a.say(a.words.Text("backup.done", args[0]))
		a.describe(d)
		return nil
	}
	return cmd
}

// ownTool refuses stores that are copied by other tools, and names the tool.
func (a *app) ownTool() error {
	switch engine := connect.Engine(a.storeURL()); engine {
	case "postgres", "mariadb", "redis", "etcd", "http", "memory":
		return &usageError{a.words.Text("backup." + engine)}
	}
	return nil
}

func (a *app) restore() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "restore FILE",
		Example: "editlock restore /backup/locks.db --store sqlite:/var/lib/editlock/locks.db",
		Args:    a.arguments("FILE"),
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := a.ownTool(); err != nil {
			return err
		}
		r, err := connect.Restore(ctx, args[0], a.storeURL(), &connect.BackupOptions{Progress: a.progress()})
		switch {
		case errors.Is(err, connect.ErrInUse):
			return errors.New(a.words.Text("restore.in_use"))
		case err != nil:
			return err
		}
		path, err := connect.File(a.storeURL())
		if err != nil {
			return err
		}
		d, err := connect.Describe(ctx, path)
		if err != nil {
			return err
		}
		a.say(a.words.Text("restore.done", path))
		a.describe(d)
		if r.Kept != "" {
			a.say(a.words.Text("restore.kept", filepath.Clean(r.Kept)))
		}
		if r.Jumped {
			a.say(a.words.Text("restore.jumped"))
		}
		return nil
	}
	return cmd
}

// describe prints how much is in a store's file.
func (a *app) describe(d *connect.Description) {
	a.say(a.words.Text("backup.has", d.Mutexes, d.Entries, size(d.FileSize)))
	a.say(a.words.Text("backup.last", d.Last))
}

// size is a number of bytes for people.
func size(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB"}
	value, unit := float64(bytes)/1024, units[0]
	for _, next := range units[1:] {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// progressAfter is how long work goes on in silence.
const progressAfter = 2 * time.Second

// progress returns what tells of work that takes long.
func (a *app) progress() func(done, total int64) {
	began := time.Now()
	return func(done, total int64) {
		if time.Since(began) < progressAfter {
			return
		}
		a.note(a.words.Text("backup.copied", size(done), size(total)))
		if done == total {
			a.note(a.words.Text("backup.checking"))
		}
	}
}
