package access_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/store/memory"
)

var everything = []auth.Grant{{Rights: []auth.Right{auth.Use, auth.Read, auth.Takeover, auth.ForceRelease}, Group: "*", Mode: "*"}}

// A chief holds a mutex by server a; the clerk asks server b for it, which
// shares the store and has heard of the chief by other ways, or not at all.
func TestRanks_OfAHoldAreNotThoseOfAnother(t *testing.T) {
	doc, other := editlock.ID{Group: "docs", ID: "1"}, editlock.ID{Group: "docs", ID: "2"}
	chief := &auth.Caller{Name: "user:P", Owner: editlock.Owner{Session: "p1", UserID: "P"}, Groups: []string{"chiefs"}, Rank: 10, Grants: everything}
	weaker := &auth.Caller{Name: "user:P", Owner: editlock.Owner{Session: "p2", UserID: "P"}, Grants: everything}
	clerk := &auth.Caller{Name: "user:L", Owner: editlock.Owner{Session: "l1", UserID: "L"}, Grants: everything}
	shop := &auth.Caller{
		Name: "key:shop", Method: auth.APIKey, Grants: everything,
		Scope: &auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}},
	}
	forChief := func(t *testing.T, session string) context.Context {
		return editlock.WithOwner(t.Context(), editlock.Owner{Session: session, UserID: "P"})
	}
	for name, policy := range map[string]access.Policy{
		"by group": {Ranks: access.Ranks{Groups: map[string]int{"chiefs": 10}}},
		"stated":   {Ranks: access.Ranks{HighestStated: 10}},
	} {
		for how, heard := range map[string]struct {
			by *auth.Caller
			do func(t *testing.T, l editlock.Locker, token editlock.Token) error
		}{
			"not at all": {nil, nil},
			"a back end captures something else for the holder": {shop, func(t *testing.T, l editlock.Locker, _ editlock.Token) error {
				_, err := l.Capture(forChief(t, "shop:7"), other, nil)
				return err
			}},
			"a back end refreshes what nobody holds by it": {shop, func(t *testing.T, l editlock.Locker, _ editlock.Token) error {
				_, err := l.Refresh(forChief(t, "shop:7"), []editlock.RefreshItem{{ID: other, Token: 99}})
				return err
			}},
			"a back end refreshes what the holder has": {shop, func(t *testing.T, l editlock.Locker, token editlock.Token) error {
				_, err := l.Refresh(forChief(t, "p1"), []editlock.RefreshItem{{ID: doc, Token: token}})
				return err
			}},
			"a back end captures what the holder has": {shop, func(t *testing.T, l editlock.Locker, _ editlock.Token) error {
				_, err := l.Capture(forChief(t, "p1"), doc, nil)
				return err
			}},
			"a weaker credential of their own captures something else": {weaker, func(t *testing.T, l editlock.Locker, _ editlock.Token) error {
				_, err := l.Capture(t.Context(), other, nil)
				return err
			}},
		} {
			for where, sameServer := range map[string]bool{"on the same server": true, "on another": false} {
				t.Run(name+"/"+how+"/"+where, func(t *testing.T) {
					m := editlock.NewManager(memory.New(nil), nil)
					defer func() { _ = m.Close() }()
					quiet := slog.New(slog.DiscardHandler)
					a := access.New(policy, access.Limits{}, quiet)
					b := access.New(policy, access.Limits{}, quiet)
					if sameServer {
						b = a
					}
					held, err := a.For(m, chief).Capture(t.Context(), doc, nil)
					if err != nil {
						t.Fatal(err)
					}
					if heard.by != nil {
						if err := heard.do(t, b.For(m, heard.by), held.Token); err != nil {
							t.Fatal(err)
						}
					}
					if _, err := b.For(m, clerk).Takeover(t.Context(), doc, held.Token, "mine", nil); err == nil {
						t.Error("the clerk took over from the chief")
					}
					if err := b.For(m, clerk).ForceRelease(t.Context(), doc, held.Token, "mine"); err == nil {
						t.Error("the clerk released by force what the chief holds")
					}
				})
			}
		}
	}
}
