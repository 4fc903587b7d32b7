package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// lookalikes of ivanov, by what differs.
var lookalikes = map[string]string{
	"a Cyrillic letter":           "iv\u0430nov",
	"another letter case":         "Ivanov",
	"a full-width letter":         "ivano\uff56",
	"a mathematical letter":       "ivano\U0001d42f",
	"a dotless letter":            "\u0131vanov",
	"a space at its end":          "ivanov ",
	"a space at its beginning":    " ivanov",
	"a joiner of no width":        "ivanov\u200d",
	"a mark of direction":         "ivanov\u200e",
	"a soft hyphen":               "iva\u00adnov",
	"an accent that is no letter": "ivano\u0307v",
}

// Logins that look alike are two people, whatever one of them does.
func TestLookAlikes_AreOthers(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	for name, user := range lookalikes {
		t.Run(name, func(t *testing.T) {
			id := "of " + name
			theirs := editlock.Owner{Session: "s of " + name, UserID: "ivanov", Login: "ivanov", Name: "Ivanov"}
			m := s.held(t, id, theirs)
			token := bearer(pageFor(t, auth.PageToken{
				Owner: editlock.Owner{UserID: user, Login: user, Name: "Ivanov"}, Groups: []string{"editors"},
			}))
			mutex := fmt.Sprintf(`"mutex":{"group":"docs","id":%q}`, id)
			before := s.state(t)
			for _, try := range []struct{ path, body, code string }{
				{"/v1/refresh", fmt.Sprintf(`{"items":[{%s,"token":%d}]}`, mutex, m.Token), "lost"},
				{"/v1/capture", fmt.Sprintf(`{%s}`, mutex), "busy"},
				{"/v1/release", fmt.Sprintf(`{%s}`, mutex), "busy"},
				{"/v1/hand-over", fmt.Sprintf(`{%s}`, mutex), "lost"},
				{"/v1/takeover", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"mine"}`, mutex, m.Token), "forbidden"},
				{"/v1/force-release", fmt.Sprintf(`{%s,"seen_token":%d,"reason":"mine"}`, mutex, m.Token), "forbidden"},
				{"/v1/release-session", fmt.Sprintf(`{"session":%q}`, theirs.Session), "forbidden"},
			} {
				got := s.post(t, try.path, try.body, token...)
				if problemCode(got) != try.code {
					t.Errorf("%s: %d %s", try.path, got.status, got.body)
				}
			}
			if s.state(t) != before {
				t.Error("it changes what is held")
			}
		})
	}
	t.Run("composed and decomposed letters differ", func(t *testing.T) {
		m := s.held(t, "nfc", editlock.Owner{Session: "s", UserID: "jos\u00e9"})
		got := s.post(t, "/v1/refresh", fmt.Sprintf(`{"items":[{"mutex":{"group":"docs","id":"nfc"},"token":%d}]}`, m.Token), bearer(page(t, "jose\u0301", "editors"))...)
		if problemCode(got) != "lost" {
			t.Errorf("got %s", got.body)
		}
	})
}

func TestLookAlikes_HaveNoRightsOfOthers(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	list := func(t *testing.T, token string) reply { return s.get(t, "/v1/mutexes", bearer(token)...) }
	if got := list(t, page(t, "root")); got.status != 200 {
		t.Fatalf("root, as root: %d %s", got.status, got.body)
	}
	if got := list(t, page(t, "x", "editors")); got.status != 200 {
		t.Fatalf("an editor: %d %s", got.status, got.body)
	}
	for name, user := range map[string]string{"Cyrillic letters": "r\u043e\u043et", "letter case": "ROOT", "a blank": "root ", "no width": "ro\u200bot"} {
		t.Run("a user by "+name, func(t *testing.T) {
			if got := list(t, page(t, user)); got.status != 403 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	for name, group := range map[string]string{"a Cyrillic letter": "\u0435ditors", "letter case": "Editors", "a blank": "editors ", "a pattern": "*", "a beginning": "edit"} {
		t.Run("a group by "+name, func(t *testing.T) {
			if got := list(t, page(t, "x", group)); got.status != 403 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	t.Run("a login or a name is no user", func(t *testing.T) {
		token := pageFor(t, auth.PageToken{Owner: editlock.Owner{UserID: "x", Login: "root", Name: "root"}})
		if got := list(t, token); got.status != 403 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	for name, user := range map[string]string{"NUL": "root\x00", "a line's end": "root\n", "what is too long": of(editlock.MaxOwnerField + 1)} {
		t.Run("a user with "+name+" is nobody", func(t *testing.T) {
			token := signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"sub": user}))
			if got := list(t, token); got.status != 401 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}
