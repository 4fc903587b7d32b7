package editlock_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

func TestOwnerFrom(t *testing.T) {
	ivanov := editlock.Owner{Session: "s-1", UserID: "17", Login: "ivanov", Name: "Иванов", Host: "pc-1"}
	petrova := editlock.Owner{Session: "s-2"}
	ctx := editlock.WithOwner(t.Context(), ivanov)

	t.Run("is the owner the context carries", func(t *testing.T) {
		if got := editlock.OwnerFrom(ctx); got != ivanov {
			t.Errorf("OwnerFrom = %+v, want %+v", got, ivanov)
		}
	})
	t.Run("is the innermost of several", func(t *testing.T) {
		if got := editlock.OwnerFrom(editlock.WithOwner(ctx, petrova)); got != petrova {
			t.Errorf("OwnerFrom = %+v, want %+v", got, petrova)
		}
		if got := editlock.OwnerFrom(ctx); got != ivanov {
			t.Errorf("the outer context now carries %+v", got)
		}
	})
	t.Run("is the console owner without one", func(t *testing.T) {
		if got := editlock.OwnerFrom(t.Context()); got != editlock.ConsoleOwner() {
			t.Errorf("OwnerFrom = %+v, want the console owner", got)
		}
	})
	t.Run("is nobody for a stranger", func(t *testing.T) {
		if got := editlock.OwnerFrom(editlock.WithoutOwner(ctx)); got != (editlock.Owner{}) {
			t.Errorf("OwnerFrom = %+v, want nobody", got)
		}
	})
}

func TestConsoleOwner(t *testing.T) {
	o := editlock.ConsoleOwner()
	if err := o.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	if o != editlock.ConsoleOwner() {
		t.Error("it changes")
	}
	if o.UserID != "console-user" || o.Host == "" {
		t.Errorf("owner is %+v, want the console-user of this host", o)
	}
	if !strings.HasPrefix(o.Session, "console-session") || !strings.HasSuffix(o.Session, fmt.Sprint(os.Getpid())) {
		t.Errorf("session is %q, want one of this process", o.Session)
	}
}

func TestSystemOwner(t *testing.T) {
	want := editlock.Owner{Session: "system", Name: "system", Host: "server"}
	if got := editlock.SystemOwner(); got != want {
		t.Errorf("SystemOwner() = %+v, want %+v", got, want)
	}
}

func TestOwner_Validate(t *testing.T) {
	at, over := strings.Repeat("x", editlock.MaxOwnerField), strings.Repeat("x", editlock.MaxOwnerField+1)
	for _, tt := range []struct {
		name  string
		owner editlock.Owner
		field string // empty: valid
	}{
		{"a session is enough", editlock.Owner{Session: "s"}, ""},
		{"every field at its limit", editlock.Owner{Session: at, UserID: at, Login: at, Name: at, Host: at}, ""},
		{"no session", editlock.Owner{UserID: "17"}, "owner.session"},
		{"session too long", editlock.Owner{Session: over}, "owner.session"},
		{"user ID too long", editlock.Owner{Session: "s", UserID: over}, "owner.user_id"},
		{"login too long", editlock.Owner{Session: "s", Login: over}, "owner.login"},
		{"name too long", editlock.Owner{Session: "s", Name: over}, "owner.name"},
		{"host too long", editlock.Owner{Session: "s", Host: over}, "owner.host"},
		{"a control character", editlock.Owner{Session: "s", Name: "a\tb"}, "owner.name"},
		{"not UTF-8", editlock.Owner{Session: "s\xff"}, "owner.session"},
		{"a name that turns text round", editlock.Owner{Session: "s", Name: "Ivanov\u202e"}, "owner.name"},
		{"a login with an isolate that is not closed", editlock.Owner{Session: "s", Login: "\u2067x"}, "owner.login"},
		{"a name in Hebrew, with a mark of its direction", editlock.Owner{Session: "s", Name: "\u200fדוד (2)"}, ""},
		{"a name in Persian, with a joiner", editlock.Owner{Session: "s", Name: "علی\u200cرضا"}, ""},
		{"a name of one symbol", editlock.Owner{Session: "s", Name: "😀"}, ""},
		{"a name of blanks", editlock.Owner{Session: "s", Name: "  "}, "owner.name"},
		{"a name of blanks of other scripts", editlock.Owner{Session: "s", Name: "\u00a0\u2003\u3000"}, "owner.name"},
		{"a name that nobody sees", editlock.Owner{Session: "s", Name: "\u200b\u2060\ufeff\u00ad"}, "owner.name"},
		{"a name of fillers, which are letters", editlock.Owner{Session: "s", Name: "\u3164\u115f\uffa0\u2800"}, "owner.name"},
		{"a name of accents without letters", editlock.Owner{Session: "s", Name: "\u0301\ufe0f"}, "owner.name"},
		{"a login of blanks", editlock.Owner{Session: "s", Login: " "}, "owner.login"},
		{"a user ID of blanks", editlock.Owner{Session: "s", UserID: " "}, "owner.user_id"},
		{"a host of blanks", editlock.Owner{Session: "s", Host: " "}, "owner.host"},
		{"a session of blanks", editlock.Owner{Session: " "}, "owner.session"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantField(t, tt.owner.Validate(), tt.field)
		})
	}
}

// wantField checks that an error names a field, or is none if it is empty.
func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var bad *editlock.InvalidError
	switch {
	case field == "" && err != nil:
		t.Errorf("error is %v, want none", err)
	case field != "" && (!errors.As(err, &bad) || bad.Field != field):
		t.Errorf("error is %v, want one that names %s", err, field)
	}
}

func TestOwner_SamePerson(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b editlock.Owner
		want bool
	}{
		{"one session", editlock.Owner{Session: "s", UserID: "1"}, editlock.Owner{Session: "s", UserID: "2"}, true},
		{"one user in two sessions", editlock.Owner{Session: "s", UserID: "1"}, editlock.Owner{Session: "r", UserID: "1"}, true},
		{"two users", editlock.Owner{Session: "s", UserID: "1"}, editlock.Owner{Session: "r", UserID: "2"}, false},
		{"two sessions without users", editlock.Owner{Session: "s"}, editlock.Owner{Session: "r"}, false},
		{"namesakes", editlock.Owner{Session: "s", Name: "n", Login: "l"}, editlock.Owner{Session: "r", Name: "n", Login: "l"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.SamePerson(tt.b); got != tt.want {
				t.Errorf("SamePerson = %v, want %v", got, tt.want)
			}
			if tt.b.SamePerson(tt.a) != tt.want {
				t.Error("it is not the same the other way round")
			}
		})
	}
}

func TestOwner_Label(t *testing.T) {
	for _, tt := range []struct {
		owner editlock.Owner
		want  string
	}{
		{editlock.Owner{Session: "s", UserID: "17", Login: "ivanov", Name: "Иванов"}, "Иванов"},
		{editlock.Owner{Session: "s", UserID: "17", Login: "ivanov"}, "ivanov"},
		{editlock.Owner{Session: "s", UserID: "17"}, "17"},
		{editlock.Owner{Session: "s"}, "s"},
	} {
		if got := tt.owner.Label(); got != tt.want {
			t.Errorf("Label of %+v = %q, want %q", tt.owner, got, tt.want)
		}
	}
}
