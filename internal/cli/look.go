package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

func (a *app) request() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use: "request ID",
		Example: `editlock request task/42
editlock request task/42 --session desk-1 --json`,
		Args: a.arguments("ID"),
	})
	cmd.Flags().SortFlags = false
	below := a.belowFlag(cmd.Flags())
	owner := a.ownerFlags(cmd)
	a.jsonFlag(cmd.Flags())
	cmd.RunE = a.onMutex(below, owner, func(ctx context.Context, locks editlock.Locker, id editlock.ID) error {
		state, m, err := locks.Request(ctx, id)
		if err != nil {
			return err
		}
		if a.json {
			answer := wire.CaptureAnswer{State: state.String()}
			if state != editlock.Free {
				form := wire.FromMutex(m)
				answer.Mutex = &form
			}
			return a.writeJSON(&answer)
		}
		a.say(state.String())
		if state != editlock.Free {
			a.showHolder(m, id)
		}
		return nil
	})
	return cmd
}

// showHolder prints all about who holds a mutex, or what is above or below it, for
// people.
func (a *app) showHolder(m editlock.Mutex, asked editlock.ID) {
	if m.ID != asked {
		a.say(a.words.Editing(m))
	} else {
		a.say(a.words.Text(words.ByHolder(m, "holder", "holder.shared"), a.words.Who(m.Owner), a.words.Moment(m.CapturedAt, m.AsOf)))
	}
	row := func(key, text string) {
		if text != "" {
			a.say(fmt.Sprintf("  %-13s %s", a.words.Text(key)+":", text))
		}
	}
	row("holder.owner", ownerText(m.Owner))
	row("holder.token", tokenText(m.Token))
	until := a.words.Text("holder.never")
	if left, ends := m.ExpiresIn(); ends {
		until = a.words.Text("holder.in", a.words.Span(left))
	}
	row("holder.until", until)
	row("holder.status", words.Plain(m.StatusData))
	switch {
	case m.Limit > 0:
		row("holder.sharing", a.words.Text("sharing.limit", strconv.Itoa(m.Limit)))
	case m.Sharing == editlock.Shared:
		row("holder.sharing", a.words.Text("sharing.shared"))
	}
	for _, other := range m.Others {
		if other.ID != asked {
			row("holder.beside", a.words.Editing(other))
		} else {
			row("holder.beside", a.words.Who(other.Owner))
		}
	}
	if m.Draining != nil {
		row("holder.draining", a.words.Draining(m.Draining, m.AsOf))
	}
	if m.Waiting == 0 {
		return
	}
	row("holder.waits", a.words.Count("waiting", m.Waiting))
	for _, w := range m.Waiters {
		text := a.words.Text("waiter", a.words.Who(w.Owner), a.words.Moment(w.Since, m.AsOf))
		if w.Message != "" {
			text += ": " + words.Plain(w.Message)
		}
		a.say("    " + text)
	}
}

// ownerText names all that is known of an owner.
func ownerText(o editlock.Owner) string {
	var parts []string
	for _, f := range []struct{ name, value string }{
		{"session", o.Session}, {"user", o.UserID}, {"login", o.Login}, {"host", o.Host},
	} {
		if f.value != "" {
			parts = append(parts, f.name+" "+words.Plain(f.value))
		}
	}
	return strings.Join(parts, ", ")
}
