package cli

import (
	"bytes"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/editlock/editlock/server/auth"
)

// token signs what an application signs for its pages.
func (a *app) token() *cobra.Command {
	cmd := a.command(&cobra.Command{
		Use:     "token",
		Example: `editlock token --secret-file page.secret --issuer shop --audience editlock --user u17 --name Ivanov`,
		Args:    a.arguments(),
	})
	var (
		t    auth.PageToken
		file string
	)
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&file, "secret-file", "", a.words.Text("flag.secret_file"))
	fs.StringVar(&t.Issuer, "issuer", "", a.words.Text("flag.issuer"))
	fs.StringVar(&t.Audience, "audience", "", a.words.Text("flag.audience"))
	fs.StringVar(&t.Owner.UserID, "user", "", a.words.Text("flag.token_user"))
	fs.StringVar(&t.Owner.Session, "session", "", a.words.Text("flag.token_sess"))
	fs.StringVar(&t.Owner.Login, "login", "", a.words.Text("flag.login"))
	fs.StringVar(&t.Owner.Name, "name", "", a.words.Text("flag.name"))
	fs.StringVar(&t.Owner.Host, "host", "", a.words.Text("flag.token_host"))
	a.kindFlags(fs, &t.Owner, "flag.token_kind")
	fs.StringArrayVar(&t.Groups, "member-of", nil, a.words.Text("flag.member_of"))
	grant := a.grantFlags(fs, "", "flag.token_rights")
	fs.IntVar(&t.Rank, "rank", 0, a.words.Text("flag.rank"))
	fs.DurationVar(&t.Lifetime, "for", 10*time.Minute, a.words.Text("flag.for"))
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range []string{"secret-file", "issuer", "audience", "user"} {
			if err := a.needFlag(cmd, name); err != nil {
				return err
			}
		}
		return nil
	}
	cmd.RunE = func(*cobra.Command, []string) error {
		secret, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if t.Grants, err = grant.grants(); err != nil {
			return err
		}
		signed, err := auth.Mint(bytes.TrimRight(secret, "\r\n"), t)
		if err != nil {
			return err
		}
		a.say(signed)
		return nil
	}
	return cmd
}
