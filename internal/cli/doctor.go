package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/words"
)

// What a check found. Over JSON these are its words.
const (
	fine    = "ok"
	warning = "warning"
	failing = "error"
)

// finding is one line of the doctor's.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
}

// diagnosis is all that the doctor found.
type diagnosis struct {
	Checks []finding `json:"checks"`
}

// doctor looks at what a server needs. It only reads, but for a file that it
// makes beside an SQLite store, to see whether the disk can be written to, and
// takes away again. It captures no mutex: that would stand in the history and
// in everybody's events.
type doctor struct {
	*app
	conf  *config.Config
	found diagnosis
}

// checkWithin bounds one check; soundWithin one that reads a whole file.
const (
	checkWithin = 10 * time.Second
	soundWithin = 2 * time.Minute
)

func (a *app) doctor() *cobra.Command {
	d := &doctor{app: a, found: diagnosis{Checks: []finding{}}}
	cmd := a.command(&cobra.Command{
		Use: "doctor",
		Example: `editlock doctor --config /etc/editlock/editlock.toml
editlock doctor --store https://locks.example.org --json`,
		Args: a.arguments(),
	})
	a.configFlags(cmd.Flags())
	a.jsonFlag(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		d.examine(ctx, cmd)
		if err := ctx.Err(); err != nil {
			return err
		}
		if a.json {
			if err := a.writeJSON(&d.found); err != nil {
				return err
			}
		}
		for _, f := range d.found.Checks {
			if f.Status == failing {
				return exitError(exitFailure)
			}
		}
		return nil
	}
	return cmd
}

// examine makes all checks that fit the store.
func (d *doctor) examine(ctx context.Context, cmd *cobra.Command) {
	read := make(chan *config.Config, 1)
	d.check(ctx, "config", checkWithin, func(context.Context) []finding {
		conf, f := d.configured(cmd)
		read <- conf
		return f
	})
	select {
	case d.conf = <-read:
	default: // it hangs
	}
	if d.conf == nil {
		var err error
		if d.conf, err = config.Load("", nil, map[string]string{"store": d.storeURL()}); err != nil {
			return // the defaults are right
		}
	}
	if connect.Engine(d.conf.Store) == "http" {
		d.check(ctx, "server", checkWithin, d.server)
		return
	}
	d.check(ctx, "files", checkWithin, func(context.Context) []finding { return d.files() })
	d.check(ctx, "origins", checkWithin, func(context.Context) []finding { return d.origins() })
	d.check(ctx, "port", checkWithin, d.port)
	d.check(ctx, "store", checkWithin, d.engine)
	if path, err := connect.File(d.conf.Store); err == nil {
		d.check(ctx, "disk", checkWithin, func(context.Context) []finding { return d.disk(path) })
		d.check(ctx, "contents", soundWithin, func(ctx context.Context) []finding { return d.contents(ctx, path) })
	}
}

// configured reads the configuration, nil if that can't be, and finds out
// whether a server can be run with it.
func (d *doctor) configured(cmd *cobra.Command) (*config.Config, []finding) {
	conf, err := d.config(cmd)
	if err != nil {
		return nil, []finding{{"config", failing, d.words.Error(err), ""}}
	}
	if connect.Engine(conf.Store) == "http" {
		return conf, nil // no server runs on another
	}
	quiet := *d.app
	quiet.stderr = io.Discard
	if err := (&server{app: &quiet}).prepare(cmd); err != nil {
		return conf, []finding{{"config", failing, d.words.Error(err), ""}}
	}
	if conf.File() == "" {
		return conf, []finding{{"config", fine, d.words.Text("doctor.config.none"), ""}}
	}
	return conf, []finding{{"config", fine, d.words.Text("doctor.config", conf.File()), ""}}
}

// check makes a check that must end: one that hangs is given up, as what it
// hangs in may not heed its context.
func (d *doctor) check(ctx context.Context, name string, within time.Duration, look func(context.Context) []finding) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found := make(chan []finding, 1)
	go func() { found <- look(ctx) }()
	select {
	case list := <-found:
		d.report(list...)
	case <-ctx.Done():
		select { // it may have ended by the same context
		case list := <-found:
			d.report(list...)
		case <-time.After(time.Second):
			d.report(finding{name, failing, d.words.Text("doctor.hangs", within), d.words.Text("doctor.hangs.do")})
		}
	}
}

// report notes what a check found, and prints it.
func (d *doctor) report(list ...finding) {
	for _, f := range list {
		f.Text = words.Plain(f.Text)
		d.found.Checks = append(d.found.Checks, f)
		if d.json {
			continue
		}
		status := d.words.Text("doctor." + f.Status)
		d.say(status + strings.Repeat(" ", max(0, 9-utf8.RuneCountInString(status))) + f.Check + ": " + f.Text)
		if f.Advice != "" {
			d.say(strings.Repeat(" ", 9) + f.Advice)
		}
	}
}
