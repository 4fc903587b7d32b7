package editlock_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

func TestErrors_Text(t *testing.T) {
	var (
		at     = time.Date(2026, 3, 1, 12, 4, 0, 0, time.UTC)
		id     = editlock.ID{Mode: "document", ID: "42"}
		ivanov = editlock.Owner{Session: "s-1", Name: "Ivanov"}
		smith  = editlock.Owner{Session: "s-2", Login: "smith"}
		theirs = editlock.Mutex{ID: id, Owner: ivanov, CapturedAt: at}
		hers   = editlock.Mutex{ID: id, Owner: smith, CapturedAt: at}
	)
	for _, tt := range []struct {
		name string
		err  error
		want string
		is   error
	}{
		{
			"busy: who and since when", &editlock.BusyError{Holder: theirs},
			"/document/42 is held by Ivanov since 2026-03-01T12:04:00Z", editlock.ErrBusy,
		},
		{
			"busy: oneself", &editlock.BusyError{Holder: theirs, Self: true},
			"/document/42 is held by Ivanov (yourself) since 2026-03-01T12:04:00Z", editlock.ErrBusy,
		},
		{
			"busy: several in the way", &editlock.BusyError{Holder: theirs, Holders: []editlock.Mutex{theirs, hers, hers}},
			"/document/42 is held by Ivanov since 2026-03-01T12:04:00Z, and 2 more are held", editlock.ErrBusy,
		},
		{
			"busy: declined", &editlock.BusyError{Holder: theirs, Declined: &editlock.Refusal{By: ivanov, At: at, Message: "an hour more"}},
			"/document/42 is held by Ivanov since 2026-03-01T12:04:00Z; Ivanov declined: an hour more", editlock.ErrBusy,
		},
		{
			"busy: declined without a word", &editlock.BusyError{Holder: theirs, Declined: &editlock.Refusal{By: ivanov, At: at}},
			"/document/42 is held by Ivanov since 2026-03-01T12:04:00Z; Ivanov declined", editlock.ErrBusy,
		},
		{
			"lost: nothing known", &editlock.LostError{ID: id},
			"the lock on /document/42 is lost; nobody holds it now", editlock.ErrLost,
		},
		{
			"lost: taken over", &editlock.LostError{ID: id, Holder: &hers, How: editlock.KindTakenOver, By: smith, At: at, Reason: "urgent"},
			"the lock on /document/42 is lost: smith took it over at 2026-03-01T12:04:00Z (urgent); now held by smith", editlock.ErrLost,
		},
		{
			"lost: released by force", &editlock.LostError{ID: id, How: editlock.KindForceReleased, By: smith, At: at, Reason: "on leave"},
			"the lock on /document/42 is lost: smith released it by force at 2026-03-01T12:04:00Z (on leave); nobody holds it now", editlock.ErrLost,
		},
		{
			"lost: expired", &editlock.LostError{ID: id, Holder: &theirs, How: editlock.KindExpired, By: smith, At: at},
			"the lock on /document/42 is lost: it was not refreshed and expired at 2026-03-01T12:04:00Z; now held by Ivanov", editlock.ErrLost,
		},
		{
			"lost: handed over", &editlock.LostError{ID: id, Holder: &theirs, How: editlock.KindHandedOver, By: smith, At: at},
			"the lock on /document/42 is lost: it was handed over at 2026-03-01T12:04:00Z; now held by Ivanov", editlock.ErrLost,
		},
		{
			"not held: whom it concerns", &editlock.NotHeldError{ID: id},
			"nobody holds /document/42", editlock.ErrNotHeld,
		},
		{
			"invalid: the field and what is wrong", &editlock.InvalidError{Field: "mutex.id", Problem: "must not be empty"},
			"mutex.id must not be empty", editlock.ErrInvalid,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("text is\n%s, want\n%s", got, tt.want)
			}
			wrapped := fmt.Errorf("saving: %w", tt.err)
			for _, sentinel := range []error{editlock.ErrBusy, editlock.ErrLost, editlock.ErrInvalid, editlock.ErrForbidden, editlock.ErrUnavailable} {
				if got, want := errors.Is(wrapped, sentinel), sentinel == tt.is; got != want { //nolint:errorlint // which sentinel it is
					t.Errorf("errors.Is(%v) = %v, want %v", sentinel, got, want)
				}
			}
		})
	}
}
