package editlock

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/editlock/editlock/store"
)

var allKinds = []OwnerKind{Person, Agent, Job}

func TestOwnerKind_SurvivesItsText(t *testing.T) {
	for _, k := range allKinds {
		text, err := k.MarshalText()
		var back OwnerKind
		if err != nil || back.UnmarshalText(text) != nil || back != k {
			t.Errorf("%d is written as %q, %v, and read as %d", k, text, err, back)
		}
	}
	for _, bad := range []string{"", "Agent", "robot", "person "} {
		if _, err := ParseOwnerKind(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is parsed: %v", bad, err)
		}
		if err := new(OwnerKind).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	var bad *InvalidError
	if err := (Owner{Session: "s", Kind: 3}).Validate(); !errors.As(err, &bad) || bad.Field != "owner.kind" {
		t.Errorf("the kind 3 is valid: %v", err)
	}
	if _, err := OwnerKind(3).MarshalText(); err == nil {
		t.Error("the kind 3 is written")
	}
}

// What stores know of an owner is the owner again, and two owners that Validate
// accepts have one key only if session and kind are the same.
func TestOwner_KeysTellSessionsAndKindsApart(t *testing.T) {
	owners := rapid.Custom(func(t *rapid.T) Owner {
		return Owner{
			Session:    rapid.OneOf(rapid.SampledFrom([]string{"s", "agent", "agents", "job\x1fs", "agent\x1f"}), rapid.String()).Draw(t, "session"),
			UserID:     rapid.SampledFrom([]string{"", "17"}).Draw(t, "user"),
			Kind:       rapid.SampledFrom(allKinds).Draw(t, "kind"),
			OnBehalfOf: rapid.SampledFrom([]string{"", "Anna"}).Draw(t, "on behalf of"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := owners.Filter(func(o Owner) bool { return o.Validate() == nil }).Draw(t, "a"),
			owners.Filter(func(o Owner) bool { return o.Validate() == nil }).Draw(t, "b")
		if got, _ := owner(party(a, time.Second)); got != a {
			t.Errorf("%+v is read as %+v", a, got)
		}
		if same := a.Session == b.Session && a.Kind == b.Kind; (a.key() == b.key()) != same {
			t.Errorf("the keys are %q and %q", a.key(), b.key())
		}
	})
	// What a newer version writes of a kind of its own is a person's.
	if got, _ := owner(store.Party{Session: "robot" + kindMark + "s"}); got.Kind != Person {
		t.Errorf("a robot is read as %+v", got)
	}
}

func TestOwner_SamePersonIsOfOneKind(t *testing.T) {
	for _, a := range allKinds {
		for _, b := range allKinds {
			for _, other := range []Owner{{Session: "s"}, {Session: "t", UserID: "17"}, {Session: "t", UserID: "18"}} {
				one, two := Owner{Session: "s", UserID: "17", Kind: a}, other
				two.Kind = b
				if got, want := one.SamePerson(two), a == b && two.UserID != "18"; got != want {
					t.Errorf("%v %+v is the same as %v %+v: %v", a, one, b, two, got)
				}
			}
			one, two := Owner{Session: "s", Kind: a}, Owner{Session: "t", Kind: b}
			if got, want := one.MayEnd(two), a != Agent || b != Person; got != want {
				t.Errorf("a hold of a %v may be ended by a %v: %v", b, a, got)
			}
			if got, want := one.YieldsTo(two), a == Agent && b == Person; got != want {
				t.Errorf("a %v gives way to a %v: %v", a, b, got)
			}
		}
	}
}

// A hook is not asked where the kinds decide.
func TestPermit_IsNotAskedWhereKindsDecide(t *testing.T) {
	held := record(Owner{Session: "theirs", Kind: Agent})
	var asked []string
	m := &Manager{store: &oneRecord{rec: held}}
	m.opts.Permit = func(_ context.Context, do EventKind, by Owner, held Mutex) error {
		asked = append(asked, strings.Join([]string{string(do), by.Kind.String(), held.Owner.Kind.String()}, " "))
		return ErrForbidden
	}
	for _, do := range []EventKind{KindTakenOver, KindForceReleased} {
		for _, by := range allKinds {
			for _, from := range allKinds {
				held.Holder = party(Owner{Session: "theirs", Kind: from}, 0)
				err := m.permit(t.Context(), do, Owner{Session: "mine", Kind: by}, "//1", 7)
				var person *HeldByPersonError
				switch {
				case by == Agent && from == Person:
					if !errors.As(err, &person) || person.Holder.Token != 7 {
						t.Errorf("%s by a %v from a %v: %v", do, by, from, err)
					}
				case do == KindTakenOver && by == Person && from == Agent:
					if err != nil {
						t.Errorf("%s by a %v from a %v: %v", do, by, from, err)
					}
				case !errors.Is(err, ErrForbidden) || len(asked) == 0:
					t.Errorf("%s by a %v from a %v: %v, without a question", do, by, from, err)
				}
				for _, q := range asked {
					if want := strings.Join([]string{string(do), by.String(), from.String()}, " "); q != want {
						t.Errorf("asked about %q, want %q", q, want)
					}
				}
				if asked != nil && (by == Agent && from == Person || do == KindTakenOver && by == Person && from == Agent) {
					t.Errorf("asked about %v", asked)
				}
				asked = nil
			}
		}
	}
}

// oneRecord is a store with one record.
type oneRecord struct {
	store.Store
	rec *store.Record
}

func (s *oneRecord) Get(context.Context, string, string) (store.View, error) {
	return store.View{Record: s.rec}, nil
}
