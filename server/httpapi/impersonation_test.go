package httpapi_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// Each way to act in another's name is refused.

// ownerPaths are the calls in whose body an owner may stand.
var ownerPaths = []string{
	"capture", "refresh", "request", "release", "takeover", "force-release", "release-session", "hand-over", "decline",
	"presence", "presence-query",
}

func TestOwnerInTheBody(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	token := pageFor(t, auth.PageToken{
		Owner:  editlock.Owner{Session: "s1", UserID: "u1", Login: "l1", Name: "n1", Host: "h1"},
		Groups: []string{"chiefs"},
	})
	for _, path := range ownerPaths {
		for field, value := range map[string]string{"session": "s2", "user_id": "u2", "login": "l2", "name": "n2", "host": "h2"} {
			t.Run(path+" refuses another "+field, func(t *testing.T) {
				body := map[string]any{"owner": map[string]string{"session": "s1", field: value}}
				switch path {
				case "refresh":
					body["items"] = []any{map[string]any{"mutex": map[string]string{"id": "x"}, "token": 1}}
				case "presence":
					body["page"], body["looks"] = "p", []any{}
				case "presence-query":
					body["mutexes"] = []any{map[string]string{"group": "docs", "id": "x"}}
				case "release-session":
					body["session"] = "s1"
				default:
					body["mutex"] = map[string]string{"group": "docs", "id": "x"}
				}
				if strings.HasPrefix(path, "take") || strings.HasPrefix(path, "force") {
					body["seen_token"], body["reason"] = 1, "so"
				}
				if path == "decline" {
					body["waiter"] = "w1"
				}
				data, _ := json.Marshal(body)
				p := s.post(t, "/v1/"+path, string(data), bearer(token)...).problem(t)
				if p.Code != "forbidden" || p.Field != "owner."+field {
					t.Errorf("got %s of field %q: %s", p.Code, p.Field, p.Detail)
				}
			})
		}
	}
	t.Run("is taken if it is one's own", func(t *testing.T) {
		got := s.post(t, "/v1/capture", `{"mutex":{"group":"docs","id":"mine"},"owner":{"session":"s1","user_id":"u1","login":"l1","name":"n1","host":"h1"}}`, bearer(token)...)
		if got.status != 200 || s.holder(t, "mine").Session != "s1" {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("is not needed", func(t *testing.T) {
		s.post(t, "/v1/capture", `{"mutex":{"group":"docs","id":"silent"}}`, bearer(token)...)
		want := editlock.Owner{Session: "s1", UserID: "u1", Login: "l1", Name: "n1", Host: "h1"}
		if got := s.holder(t, "silent"); got != want {
			t.Errorf("held by %+v", got)
		}
	})
}

func TestKeys_ActWithinTheirScopeOnly(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	key := s.key(t, auth.Key{
		Grants: grants("docs", auth.Read, auth.Use),
		Scope:  auth.Scope{Sessions: []auth.Pattern{"shop:*"}, Users: []auth.Pattern{"shop:*"}},
	})
	s.held(t, "other", petrov)
	for _, test := range []struct{ name, path, body, code, field string }{
		{"takes a session of its own", "capture", `{"mutex":{"group":"docs","id":"a"},"owner":{"session":"shop:1","user_id":"shop:u"}}`, "", ""},
		{"needs no user", "capture", `{"mutex":{"group":"docs","id":"b"},"owner":{"session":"shop:2"}}`, "", ""},
		{"refuses another session", "capture", `{"mutex":{"group":"docs","id":"c"},"owner":{"session":"petrov-1"}}`, "forbidden", "owner.session"},
		{"refuses another user", "capture", `{"mutex":{"group":"docs","id":"c"},"owner":{"session":"shop:1","user_id":"petrov"}}`, "forbidden", "owner.user_id"},
		{"refuses a session that only begins alike in another script", "capture", `{"mutex":{"group":"docs","id":"c"},"owner":{"session":"ѕhop:1"}}`, "forbidden", "owner.session"},
		{"needs an owner", "capture", `{"mutex":{"group":"docs","id":"c"}}`, "invalid", "owner"},
		{"does not release another's session", "release-session", `{"session":"petrov-1"}`, "forbidden", ""},
		{"does not refresh by token alone", "refresh", fmt.Sprintf(`{"items":[{"mutex":{"group":"docs","id":"other"},"token":%d}]}`, s.held(t, "other", petrov).Token), "forbidden", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.post(t, "/v1/"+test.path, test.body, bearer(key)...)
			if problemCode(got) != test.code {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if test.field != "" && got.problem(t).Field != test.field {
				t.Errorf("the field is %q", got.problem(t).Field)
			}
		})
	}
}

func TestKeys_AreRefusedOnceRevoked(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	key := s.key(t, auth.Key{Grants: grants("*", auth.Read)})
	if got := s.get(t, "/v1/mutexes", bearer(key)...); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	now := time.Now()
	err := auth.ChangeKeys(s.keys, func(all []auth.Key) ([]auth.Key, error) {
		all[0].Revoked = &now
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.awaitKey(t, key, false)
	if got := s.audit.String() + s.log.String(); strings.Contains(got, key) || strings.Contains(got, key[15:]) {
		t.Error("the key stands in a log")
	}
}

func TestTokens_AuthoriseNothing(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	m := s.held(t, "guarded", petrov)
	editor := bearer(page(t, "ivanov", "editors"))
	item := fmt.Sprintf(`{"group":"docs","id":"guarded"},"token":%d`, m.Token)
	t.Run("refresh by another's token is lost", func(t *testing.T) {
		got := s.post(t, "/v1/refresh", `{"items":[{"mutex":`+item+`}]}`, editor...)
		if problemCode(got) != "lost" {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("release by another's token does nothing", func(t *testing.T) {
		got := s.post(t, "/v1/release", fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"if":{"token":%d}}`, m.Token), editor...)
		if got.status != 200 || !strings.Contains(got.body, `"released":false`) {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("capture by another's token is lost", func(t *testing.T) {
		got := s.post(t, "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"if":{"token":%d}}`, m.Token), editor...)
		if problemCode(got) != "lost" {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("takeover and forced release need their rights", func(t *testing.T) {
		for _, path := range []string{"/v1/takeover", "/v1/force-release"} {
			got := s.post(t, path, fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"seen_token":%d,"reason":"so"}`, m.Token), editor...)
			if problemCode(got) != "forbidden" {
				t.Errorf("%s: got %s", path, got.body)
			}
		}
	})
	t.Run("a token of the future is busy even for who may take over", func(t *testing.T) {
		got := s.post(t, "/v1/takeover", fmt.Sprintf(`{"mutex":{"group":"docs","id":"guarded"},"seen_token":%d,"reason":"so"}`, m.Token+1), bearer(page(t, "boss", "chiefs"))...)
		if problemCode(got) != "busy" {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("hand-over and decline are the holder's", func(t *testing.T) {
		for path, more := range map[string]string{"/v1/hand-over": "", "/v1/decline": `,"waiter":"w1"`} {
			if got := s.post(t, path, `{"mutex":{"group":"docs","id":"guarded"}`+more+`}`, editor...); problemCode(got) != "lost" {
				t.Errorf("%s: got %s", path, got.body)
			}
		}
	})
	if got := s.holder(t, "guarded"); got != petrov {
		t.Errorf("held by %+v now", got)
	}
}

func TestSessions_AreReleasedByTheirOwn(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	release := func(session, token string) reply {
		return s.post(t, "/v1/release-session", fmt.Sprintf(`{"session":%q}`, session), bearer(token)...)
	}
	t.Run("one's own", func(t *testing.T) {
		s.held(t, "a", editlock.Owner{Session: "ivanov-1", UserID: "ivanov"})
		if got := release("ivanov-1", page(t, "ivanov", "editors")); !strings.Contains(got.body, `"released":true`) {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("one's own of a login before", func(t *testing.T) {
		s.held(t, "b", editlock.Owner{Session: "ivanov-0", UserID: "ivanov"})
		if got := release("ivanov-0", page(t, "ivanov", "editors")); !strings.Contains(got.body, `"released":true`) {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("not another's", func(t *testing.T) {
		s.held(t, "c", petrov)
		if got := release("petrov-1", page(t, "ivanov", "editors")); problemCode(got) != "forbidden" || s.holder(t, "c") != petrov {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("not even one that holds nothing", func(t *testing.T) {
		if got := release("elsewhere", page(t, "ivanov", "editors")); problemCode(got) != "forbidden" {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("not if some of it is out of reach", func(t *testing.T) {
		ctx := editlock.WithOwner(t.Context(), petrov)
		if _, err := s.locker.Capture(ctx, editlock.ID{Group: "secret", ID: "d"}, nil); err != nil {
			t.Fatal(err)
		}
		if got := release("petrov-1", page(t, "boss", "chiefs")); problemCode(got) != "forbidden" || s.holder(t, "c") != petrov {
			t.Errorf("got %s", got.body)
		}
	})
}

func TestBeacons_DoNoHarmWhenReplayed(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	token := page(t, "ivanov", "editors")
	m := s.held(t, "page", editlock.Owner{Session: "ivanov-1", UserID: "ivanov"})
	beacon := fmt.Sprintf(`{"mutex":{"group":"docs","id":"page"},"if":{"token":%d}}`, m.Token)
	send := func(credential string) reply {
		return s.send(t, "POST", "/v1/release", beacon, append(bearer(credential), "Content-Type", "text/plain")...)
	}
	if got := send(""); got.status != 401 {
		t.Errorf("without credentials: %d %s", got.status, got.body)
	}
	if got := send(token); !strings.Contains(got.body, `"released":true`) {
		t.Fatalf("the first one: %s", got.body)
	}
	s.held(t, "page", petrov)
	if got := send(token); !strings.Contains(got.body, `"released":false`) || s.holder(t, "page") != petrov {
		t.Errorf("after another captured: %s", got.body)
	}
	if _, err := s.locker.Release(editlock.WithOwner(t.Context(), petrov), editlock.ID{Group: "docs", ID: "page"}, editlock.Condition{}); err != nil {
		t.Fatal(err)
	}
	s.held(t, "page", editlock.Owner{Session: "ivanov-1", UserID: "ivanov"})
	if got := send(token); !strings.Contains(got.body, `"released":false`) {
		t.Errorf("after the page captured again: %s", got.body)
	}
	old := signed(t, jose.HS256, pageSecret, nil, claims(pageIssuer, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}))
	if got := send(old); got.status != 401 {
		t.Errorf("with a token that has expired: %d %s", got.status, got.body)
	}
}

func TestForgedTokens(t *testing.T) {
	s := startSecured(t, policy, access.Limits{})
	b64 := base64.RawURLEncoding.EncodeToString
	body := func(issuer string) string {
		data, _ := json.Marshal(claims(issuer, nil))
		return b64(data)
	}
	good := signed(t, jose.RS256, s.rsa, nil, claims(rsaIssuer, nil))
	parts := strings.Split(good, ".")
	der, _ := x509.MarshalPKIXPublicKey(&s.rsa.PublicKey)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger := startSecured(t, policy, access.Limits{}).rsa
	if got := s.get(t, "/v1/mutexes", bearer(good)...); got.status != 200 {
		t.Fatalf("the real one is refused: %s", got.body)
	}
	jwk, _ := json.Marshal(jose.JSONWebKey{Key: &stranger.PublicKey, KeyID: "k"})
	for name, token := range map[string]string{
		"alg none":                    b64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + body(rsaIssuer) + ".",
		"alg None with a signature":   b64([]byte(`{"alg":"None"}`)) + "." + body(rsaIssuer) + "." + parts[2],
		"no signature":                parts[0] + "." + parts[1] + ".",
		"another body":                parts[0] + "." + body(pageIssuer) + "." + parts[2],
		"another user":                parts[0] + "." + strings.Replace(parts[1], parts[1][:8], "AAAAAAAA", 1) + "." + parts[2],
		"public key as HS256 secret":  signed(t, jose.HS256, publicPEM, nil, claims(rsaIssuer, nil)),
		"public DER as HS256 secret":  signed(t, jose.HS256, der, nil, claims(rsaIssuer, nil)),
		"RS256 for an issuer of HS":   signed(t, jose.RS256, s.rsa, nil, claims(pageIssuer, nil)),
		"HS256 for an issuer of RS":   signed(t, jose.HS256, pageSecret, nil, claims(rsaIssuer, nil)),
		"HS512 by a secret of HS256":  signed(t, jose.HS512, pad(pageSecret), nil, claims(pageIssuer, nil)),
		"another's key":               signed(t, jose.RS256, stranger, nil, claims(rsaIssuer, nil)),
		"another's key in its header": signed(t, jose.RS256, stranger, map[jose.HeaderKey]any{"jwk": json.RawMessage(jwk)}, claims(rsaIssuer, nil)),
		"jku":                         signed(t, jose.RS256, stranger, map[jose.HeaderKey]any{"jku": s.url + "/healthz"}, claims(rsaIssuer, nil)),
		"kid as a path":               signed(t, jose.HS256, make([]byte, 32), map[jose.HeaderKey]any{"kid": "../../../../dev/null"}, claims(pageIssuer, nil)),
		"kid as SQL":                  signed(t, jose.HS256, make([]byte, 32), map[jose.HeaderKey]any{"kid": "x' UNION SELECT 'aaaa"}, claims(pageIssuer, nil)),
		"kid as a list":               b64([]byte(`{"alg":"RS256","kid":["a","b"]}`)) + "." + parts[1] + "." + parts[2],
		"unknown crit":                signed(t, jose.RS256, s.rsa, map[jose.HeaderKey]any{"crit": []string{"b65"}, "b65": true}, claims(rsaIssuer, nil)),
		"nothing":                     "a.b.c",
		"too long":                    good + strings.Repeat("A", 20<<10),
		"encrypted form":              "a.b.c.d.e",
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.get(t, "/v1/mutexes", bearer(token)...); got.status != 401 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	t.Run("two Authorization headers", func(t *testing.T) {
		if got := s.get(t, "/v1/mutexes", "Authorization", "Bearer "+good, "Authorization", "Bearer "+good); got.status != 401 {
			t.Errorf("got %d", got.status)
		}
	})
	t.Run("in the query", func(t *testing.T) {
		if got := s.get(t, "/v1/mutexes?access_token="+good); got.status != 401 {
			t.Errorf("got %d", got.status)
		}
	})
	if strings.Contains(s.audit.String(), parts[2]) {
		t.Error("a signature stands in the audit log")
	}
}

func pad(secret []byte) []byte { return append(append([]byte(nil), secret...), make([]byte, 32)...) }
