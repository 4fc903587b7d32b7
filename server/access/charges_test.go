package access_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/store/memory"
)

// What a caller owes for a session that is not its own does not tell what that
// session holds elsewhere.
func TestGuard_ChargesNothingForWhatACallerMayNotEnd(t *testing.T) {
	const perSecond = 40
	for _, tt := range []struct {
		name    string
		rights  []auth.Right
		visible int // holds of the session that the caller may end, before the others
	}{
		{"without a right to any of it", []auth.Right{auth.Use}, 0},
		{"with a right to some of it", []auth.Right{auth.Use, auth.ForceRelease}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			left := map[int]int{} // requests that are still allowed, by how much is hidden
			for _, hidden := range []int{1, 50} {
				synctest.Test(t, func(t *testing.T) {
					locks := editlock.NewManager(memory.New(nil), nil)
					defer func() { _ = locks.Close() }()
					other := editlock.WithOwner(t.Context(), editlock.Owner{Session: "other", UserID: "other"})
					capture := func(group string, n int) {
						for i := range n {
							if _, err := locks.Capture(other, editlock.ID{Group: group, ID: fmt.Sprint(i)}, nil); err != nil {
								t.Fatal(err)
							}
						}
					}
					capture("docs", tt.visible)
					capture("hidden", hidden)
					guard := access.New(access.Policy{}, access.Limits{RequestsPerSecond: perSecond}, slog.New(slog.DiscardHandler))
					caller := &auth.Caller{
						Name: "curious", Owner: editlock.Owner{Session: "curious", UserID: "curious"},
						Grants: []auth.Grant{{Rights: tt.rights, Group: "docs", Mode: "*"}},
					}
					if _, err := guard.For(locks, caller).ReleaseSession(t.Context(), "other"); !errors.Is(err, editlock.ErrForbidden) {
						t.Fatalf("it is answered with %v", err)
					}
					for guard.Admit(caller) == nil {
						left[hidden]++
					}
				})
			}
			if left[1] != left[50] || left[1] < 2*perSecond-max(0, tt.visible-1) {
				t.Errorf("beside 1 hidden hold %d requests are left, beside 50 there are %d", left[1], left[50])
			}
		})
	}
}
