package auth

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A name in another letter case is another name, in whatever a signature or an
// operator vouches for.
func TestNames_CompareExactly(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	key, err := Secret(secret)
	if err != nil {
		t.Fatal(err)
	}
	tokens := NewTokens(&Issuer{Name: "shop", Audience: "editlock", Keys: FixedKeys{key}})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	grants := []any{map[string]any{"rights": []string{"use"}, "group": "docs", "mode": "*"}}
	for name, tt := range map[string]struct {
		change map[string]any
		taken  bool
	}{
		"a token as it should be": {map[string]any{"editlock": map[string]any{"session": "s", "grants": grants}}, true},
		"Grants":                  {map[string]any{"editlock": map[string]any{"session": "s", "Grants": grants}}, false},
		"SESSION":                 {map[string]any{"editlock": map[string]any{"SESSION": "s"}}, false},
		"Rank":                    {map[string]any{"editlock": map[string]any{"session": "s", "Rank": 9}}, false},
		"rights in a grant": {map[string]any{"editlock": map[string]any{"session": "s", "grants": []any{
			map[string]any{"Rights": []string{"admin"}, "group": "*", "mode": "*"},
		}}}, false},
		"a right": {map[string]any{"editlock": map[string]any{"session": "s", "grants": []any{
			map[string]any{"rights": []string{"Admin"}, "group": "*", "mode": "*"},
		}}}, false},
		"SUB": {map[string]any{"sub": nil, "SUB": "u"}, false},
		"SID": {map[string]any{"sid": nil, "SID": "s"}, false},
		"EXP": {map[string]any{"exp": nil, "EXP": time.Now().Add(time.Hour).Unix()}, false},
		"AUD": {map[string]any{"aud": "another", "AUD": "editlock"}, false},
	} {
		t.Run("in a token: "+name, func(t *testing.T) {
			claims := map[string]any{"iss": "shop", "aud": "editlock", "sub": "u", "sid": "s", "exp": time.Now().Add(time.Hour).Unix()}
			for name, v := range tt.change {
				if claims[name] = v; v == nil {
					delete(claims, name)
				}
			}
			raw, err := jwt.Signed(signer).Claims(claims).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			if c, err := tokens.authenticate(context.Background(), raw); (err == nil) != tt.taken {
				t.Errorf("got %+v and %v", c, err)
			}
		})
	}

	const whole = `{"keys":[{"id":"aaaaaaaaaa","name":"shop","sha256":"00","created":"2026-01-01T00:00:00Z",` +
		`"scope":{"sessions":["*"],"users":null},"grants":[{"rights":["read"],"group":"docs","mode":"*"}]}]}`
	for name, tt := range map[string]struct {
		old, other string
		want       string // in the error; empty: none
	}{
		"a file as it should be": {"", "", ""},
		"Keys":                   {`"keys"`, `"Keys"`, "Keys"},
		"SHA256":                 {`"sha256"`, `"SHA256"`, "SHA256"},
		"Sessions":               {`"sessions"`, `"Sessions"`, "Sessions"},
		"Rights":                 {`"rights"`, `"Rights"`, "Rights"},
		"an ID twice":            {`"name"`, `"id":"b","name"`, "twice"},
		"more behind it":         {`]}]}`, `]}]}{}`, "JSON"},
	} {
		t.Run("in a keys file: "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(strings.Replace(whole, tt.old, tt.other, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			keys, err := ReadKeys(path)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v and %v, want %q", keys, err, tt.want)
			}
		})
	}

	id := &oidc.IDToken{Issuer: "i", Subject: "u", Nonce: "n", Audience: []string{"a"}, Expiry: time.Unix(9, 0)}
	good := map[string]any{"iss": "i", "sub": "u", "nonce": "n", "aud": "a", "exp": 9.0}
	if !claimSet(good).names(id) {
		t.Error("an ID token as it should be is refused")
	}
	for name, v := range good {
		other := maps.Clone(good)
		delete(other, name)
		other[strings.ToUpper(name)] = v
		if claimSet(other).names(id) {
			t.Errorf("an ID token is taken with %s", strings.ToUpper(name))
		}
	}

	const jwk = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","alg":"EdDSA","use":"sig"}`
	for set, taken := range map[string]bool{
		`{"keys":[` + jwk + `],"more":1}`:                              true,
		`{"Keys":[` + jwk + `]}`:                                       false,
		`{"keys":[` + strings.Replace(jwk, `"x"`, `"X"`, 1) + `]}`:     false,
		`{"keys":[` + strings.Replace(jwk, `"kty"`, `"Kty"`, 1) + `]}`: false,
	} {
		if keys, err := parseJWKS([]byte(set)); (err == nil) != taken {
			t.Errorf("%s: got %v and %v", set, keys, err)
		}
	}
}

// A person is not locked out for how a directory writes a name.
func TestClaims_NamesAreLegible(t *testing.T) {
	for name, want := range map[string]string{
		"Anna": "Anna", "\u202bשרה לוי\u202c": "שרה לוי", "\u202egnp.x": "gnp.x", " ": "", "\u200b": "", "\u2066\u2069": "", "שרה\u200f": "שרה\u200f",
	} {
		c, err := Claims{}.person(nil, claimSet{"sub": "u", "name": name, "preferred_username": name}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = settle(c, JWT, realmOf("i"), "s"); err != nil || c.Owner.Name != want || c.Owner.Login != want {
			t.Errorf("%q: %+v, %v", name, c, err)
		}
	}
}
