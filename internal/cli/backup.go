package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"editlock/connect"
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
		d, err := a.copyTo(ctx, args[0], force)
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
	case "postgres", "redis", "etcd", "http", "memory":
		return &usageError{a.words.Text("backup." + engine)}
	}
	return nil
}

// copyTo makes a backup in a file. An older one stays until the new one is
// good.
func (a *app) copyTo(ctx context.Context, dst string, force bool) (*connect.Description, error) {
	o := &connect.BackupOptions{Progress: a.progress("backup.copied")}
	if _, err := os.Lstat(dst); err != nil || !force {
		if err := connect.Backup(ctx, a.storeURL(), dst, o); err != nil {
			return nil, err
		}
		return connect.Describe(ctx, dst)
	}
	if err := a.notInUse(dst); err != nil {
		return nil, err
	}
	fresh := dst + ".new"
	if err := connect.Backup(ctx, a.storeURL(), fresh, o); err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, dst); err != nil {
		return nil, errors.Join(err, os.Remove(fresh))
	}
	return connect.Describe(ctx, dst)
}

// notInUse keeps --force from replacing what is no backup: the store itself,
// or another that is open.
func (a *app) notInUse(dst string) error {
	path, err := connect.File(a.storeURL())
	if err != nil {
		return err
	}
	to, err := os.Stat(dst)
	if err != nil {
		return err
	}
	from, err := os.Stat(path)
	if err == nil && os.SameFile(from, to) || !to.Mode().IsRegular() {
		return &usageError{a.words.Text("backup.itself", dst)}
	}
	if _, err := os.Stat(dst + "-wal"); err == nil {
		return &usageError{a.words.Text("backup.open", dst)}
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
		r, err := connect.Restore(ctx, args[0], a.storeURL(), &connect.BackupOptions{Progress: a.progress("backup.copied")})
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
func (a *app) progress(key string) func(done, total int64) {
	began := time.Now()
	told := false
	return func(done, total int64) {
		if time.Since(began) < progressAfter {
			return
		}
		a.note(a.words.Text(key, size(done), size(total)))
		if done == total && !told {
			told = true
			a.note(a.words.Text("backup.checking"))
		}
	}
}
