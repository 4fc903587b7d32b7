package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/words"
	"github.com/editlock/editlock/server/auth"
)

// keys writes the file that serve reads with --keys.
func (a *app) keys() *cobra.Command {
	file := ""
	parent := a.command(&cobra.Command{
		Use: "keys COMMAND",
		Example: `editlock keys create shop --keys keys.json --right read,use --group shop --as-session "*" --as-user "shop:*"
editlock keys list --keys keys.json
editlock keys revoke 7c2mfkq1xa --keys keys.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	})
	for _, cmd := range []*cobra.Command{a.createKey(&file), a.listKeys(&file), a.revokeKey(&file)} {
		cmd.Flags().SortFlags = false
		cmd.Flags().StringVar(&file, "keys", "", a.words.Text("flag.keys"))
		cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return a.needFlag(cmd, "keys") }
		parent.AddCommand(cmd)
	}
	return parent
}

// grantFlags say what a credential allows.
type grantFlags struct{ rights, group, mode string }

func (a *app) grantFlags(fs *pflag.FlagSet, rights, key string) *grantFlags {
	g := &grantFlags{}
	fs.StringVar(&g.rights, "right", rights, a.words.Text(key))
	fs.StringVar(&g.group, "group", "*", a.words.Text("flag.right_group"))
	fs.StringVar(&g.mode, "mode", "*", a.words.Text("flag.right_mode"))
	return g
}

// grants returns what the flags give: nothing, if no right is named.
func (g *grantFlags) grants() ([]auth.Grant, error) {
	if g.rights == "" {
		return nil, nil
	}
	grant := auth.Grant{Group: auth.Pattern(g.group), Mode: auth.Pattern(g.mode)}
	for name := range strings.SplitSeq(g.rights, ",") {
		grant.Rights = append(grant.Rights, auth.Right(strings.TrimSpace(name)))
	}
	if err := grant.Validate(); err != nil {
		return nil, &usageError{err.Error()}
	}
	return []auth.Grant{grant}, nil
}

func (a *app) createKey(file *string) *cobra.Command {
	cmd := a.named(&cobra.Command{
		Use:     "create NAME",
		Example: `editlock keys create shop --keys keys.json --right read,use --as-session "*" --as-user "shop:*"`,
		Args:    a.arguments("NAME"),
	}, "keys.create")
	var (
		sessions, users []string
		kinds           []string
		expires         time.Duration
		rank            int
	)
	fs := cmd.Flags()
	grant := a.grantFlags(fs, "read,use", "flag.right")
	fs.StringArrayVar(&sessions, "as-session", nil, a.words.Text("flag.as_session"))
	fs.StringArrayVar(&users, "as-user", nil, a.words.Text("flag.as_user"))
	fs.StringSliceVar(&kinds, "as-kind", nil, a.words.Text("flag.as_kind"))
	fs.DurationVar(&expires, "expires", 0, a.words.Text("flag.expires"))
	fs.IntVar(&rank, "rank", 0, a.words.Text("flag.rank"))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		grants, err := grant.grants()
		if err != nil {
			return err
		}
		k := auth.Key{Name: args[0], Grants: grants, Rank: rank}
		if k.Scope.Sessions, err = patterns(sessions); err != nil {
			return err
		}
		if k.Scope.Users, err = patterns(users); err != nil {
			return err
		}
		for _, name := range kinds {
			kind, err := editlock.ParseOwnerKind(name)
			if err != nil {
				return a.usage("usage.flag.invalid", "--as-kind", name, a.words.Text("usage.kind"))
			}
			k.Kinds = append(k.Kinds, kind)
		}
		if expires > 0 {
			end := time.Now().Add(expires).UTC().Truncate(time.Second)
			k.Expires = &end
		}
		k, secret := auth.NewKey(k)
		err = auth.ChangeKeys(*file, func(all []auth.Key) ([]auth.Key, error) { return append(all, k), nil })
		if err != nil {
			return err
		}
		a.note(a.words.Text("keys.once", k.ID))
		if len(sessions) == 0 {
			a.note(a.words.Text("keys.nobody"))
		}
		a.say(secret)
		return nil
	}
	return cmd
}

func patterns(texts []string) ([]auth.Pattern, error) {
	var out []auth.Pattern
	for _, t := range texts {
		p := auth.Pattern(t)
		if err := p.Validate(); err != nil {
			return nil, &usageError{err.Error()}
		}
		out = append(out, p)
	}
	return out, nil
}

func (a *app) listKeys(file *string) *cobra.Command {
	cmd := a.named(&cobra.Command{
		Use:     "list",
		Example: `editlock keys list --keys keys.json`,
		Args:    a.arguments(),
	}, "keys.list")
	a.jsonFlag(cmd.Flags())
	cmd.RunE = func(*cobra.Command, []string) error {
		keys, err := auth.ReadKeys(*file)
		if err != nil {
			return err
		}
		if a.json {
			return a.keysJSON(keys)
		}
		var rows table
		rows.head(a.words.Text("keys.head"))
		for _, k := range keys {
			rows.row(k.ID, words.Plain(k.Name), a.keyState(k), grantsText(k.Grants), scopeText(k.Scope, k.Kinds),
				k.Created.Local().Format(time.DateTime))
		}
		rows.print(a.stdout)
		return nil
	}
	return cmd
}

// keysJSON prints the keys without their hashes, which nobody needs.
func (a *app) keysJSON(keys []auth.Key) error {
	for i := range keys {
		keys[i].Hash = ""
	}
	data, err := json.Marshal(map[string][]auth.Key{"keys": keys})
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(append(data, '\n'))
	return err
}

func (a *app) keyState(k auth.Key) string {
	day := func(t *time.Time) string { return t.Local().Format(time.DateOnly) }
	switch {
	case k.Revoked != nil:
		return a.words.Text("keys.revoked", day(k.Revoked))
	case k.Expires == nil:
		return a.words.Text("keys.valid")
	case time.Now().After(*k.Expires):
		return a.words.Text("keys.expired", day(k.Expires))
	}
	return a.words.Text("keys.until", day(k.Expires))
}

func grantsText(grants []auth.Grant) string {
	var out []string
	for _, g := range grants {
		names := make([]string, len(g.Rights))
		for i, r := range g.Rights {
			names[i] = string(r)
		}
		out = append(out, strings.Join(names, ",")+" "+words.Plain(string(g.Group)+"/"+string(g.Mode)))
	}
	return strings.Join(out, "; ")
}

func scopeText(s auth.Scope, kinds auth.Kinds) string {
	list := func(patterns []auth.Pattern) string {
		if len(patterns) == 0 {
			return "-"
		}
		names := make([]string, len(patterns))
		for i, p := range patterns {
			names[i] = words.Plain(string(p))
		}
		return strings.Join(names, ",")
	}
	text := list(s.Users) + " (" + list(s.Sessions) + ")"
	if len(kinds) > 0 {
		text += ": " + kinds.String()
	}
	return text
}

func (a *app) revokeKey(file *string) *cobra.Command {
	cmd := a.named(&cobra.Command{
		Use:     "revoke ID",
		Example: `editlock keys revoke 7c2mfkq1xa --keys keys.json`,
		Args:    a.arguments("ID"),
	}, "keys.revoke")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		err := auth.ChangeKeys(*file, func(all []auth.Key) ([]auth.Key, error) {
			now := time.Now().UTC().Truncate(time.Second)
			for i := range all {
				if all[i].ID == args[0] {
					if all[i].Revoked == nil {
						all[i].Revoked = &now
					}
					return all, nil
				}
			}
			return nil, errors.New(a.words.Text("keys.none", words.Plain(args[0])))
		})
		if err == nil {
			a.say(a.words.Text("keys.gone", args[0]))
		}
		return err
	}
	return cmd
}
