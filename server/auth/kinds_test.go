package auth

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

// A token names its kind, or has the first that its issuer may be for.
func TestIssuer_SaysWhichKindsItsTokensAreFor(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	key, err := Secret(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		issuer Kinds
		token  editlock.OwnerKind // a person is not named
		want   editlock.OwnerKind
		may    string // what calls may act as
		no     string // why the token is refused
	}{
		{"all, not named", nil, editlock.Person, editlock.Person, "person agent job", ""},
		{"all, an agent", nil, editlock.Agent, editlock.Agent, "agent", ""},
		{"jobs and agents, not named", Kinds{editlock.Job, editlock.Agent}, editlock.Person, editlock.Job, "agent job", ""},
		{"jobs and agents, an agent", Kinds{editlock.Job, editlock.Agent}, editlock.Agent, editlock.Agent, "agent", ""},
		{"people, a job", Kinds{editlock.Person}, editlock.Job, 0, "", "the token is for the kind job; its issuer is for: person"},
		{"people, not named", Kinds{editlock.Person}, editlock.Person, editlock.Person, "person", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw, err := Mint(secret, PageToken{
				Issuer: "shop", Audience: "editlock", Owner: editlock.Owner{UserID: "17", Kind: test.token, OnBehalfOf: "Anna"},
			})
			if err != nil {
				t.Fatal(err)
			}
			tokens := NewTokens(&Issuer{Name: "shop", Audience: "editlock", Keys: FixedKeys{key}, Kinds: test.issuer})
			c, err := tokens.authenticate(t.Context(), raw)
			if test.no != "" {
				if !errors.Is(err, editlock.ErrUnauthenticated) || !strings.Contains(err.Error(), test.no) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var may []string
			for _, k := range []editlock.OwnerKind{editlock.Person, editlock.Agent, editlock.Job} {
				if c.StateKind(k) == nil {
					may = append(may, k.String())
				}
			}
			if c.Owner.Kind != test.want || c.Owner.OnBehalfOf != "Anna" || strings.Join(may, " ") != test.may {
				t.Errorf("the owner is %+v, and calls may act as %v", c.Owner, may)
			}
		})
	}
	c, err := Claims{}.person(nil, claimSet{"sub": "17", "editlock": map[string]any{"kind": "robot"}}, "", nil)
	if !errors.Is(err, editlock.ErrUnauthenticated) || !strings.Contains(err.Error(), "must be person, agent or job") {
		t.Errorf("a robot is %+v, %v", c, err)
	}
}

func TestCertificates_SayWhichKindsTheyAreFor(t *testing.T) {
	cert := &x509.Certificate{Raw: []byte("a certificate"), Subject: pkix.Name{CommonName: "importer"}}
	for _, test := range []struct {
		kinds Kinds
		want  editlock.OwnerKind
	}{{nil, editlock.Person}, {Kinds{editlock.Job}, editlock.Job}} {
		c, err := (&Certificates{User: "cn", Kinds: test.kinds}).authenticate(cert)
		if err != nil || c.Owner.Kind != test.want || (c.StateKind(editlock.Agent) == nil) != (test.kinds == nil) {
			t.Errorf("of %v: %+v, %v", test.kinds, c, err)
		}
	}
}

func TestKeysFile_SaysWhichKindsAKeyIsFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(`{"keys":[{"id":"a","name":"n","kinds":["robot"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "must be person, agent or job") {
		t.Errorf("a key for robots: %v", err)
	}
	k, secret := NewKey(Key{Name: "n", Kinds: Kinds{editlock.Agent}})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := ChangeKeys(path, func([]Key) ([]Key, error) { return []Key{k, {ID: "b", Kinds: Kinds{}}}, nil }); err != nil {
		t.Fatal(err)
	}
	f, err := OpenKeys(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.authenticate(secret)
	if err != nil || c.StateKind(editlock.Agent) != nil || c.StateKind(editlock.Person) == nil {
		t.Errorf("a key for agents: %+v, %v", c, err)
	}
	if all := (&Key{Kinds: Kinds{}}).caller(); all.StateKind(editlock.Person) != nil || all.StateKind(editlock.Job) != nil {
		t.Error("a key that names no kind is not for all")
	}
}

// Acting takes an owner that ActAs may have returned, and no other.
func TestCaller_ActsAsWhoItMayBe(t *testing.T) {
	anna := editlock.Owner{Session: "~r~s", UserID: "17", Name: "Anna"}
	c := &Caller{Owner: anna, session: "s"}
	agent, err := c.ActAs(&editlock.Owner{Session: "s", Kind: editlock.Agent, Name: "Helper"})
	if err != nil {
		t.Fatal(err)
	}
	forged := agent
	forged.UserID, forged.OnBehalfOf = "18", "Boris"
	ctx := context.Background()
	for _, test := range []struct{ as, want editlock.Owner }{
		{agent, agent},
		{forged, agent},
		{anna, anna},
		{editlock.OwnerFrom(ctx), anna},
		{editlock.Owner{Session: "other", Kind: editlock.Agent}, anna},
	} {
		if got, err := c.Acting(test.as); got != test.want || err != nil {
			t.Errorf("as %+v it acts as %+v, %v", test.as, got, err)
		}
	}
	c.Kinds = Kinds{editlock.Person}
	if _, err := c.Acting(agent); !errors.Is(err, editlock.ErrForbidden) {
		t.Errorf("a person acts as an agent: %v", err)
	}
}
