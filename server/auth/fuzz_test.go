package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

func FuzzParseJWKS(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"keys":null}`, `{"keys":[{}]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","alg":"EdDSA","use":"sig"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`,
		`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseJWKS(data)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys and %v", len(keys), err)
		}
		for _, k := range keys {
			if k.takes("HS256") || k.takes("none") || len(k.algorithms) == 0 {
				t.Fatalf("a key by address takes %v", k.algorithms)
			}
		}
	})
}

func FuzzPublicKeyPEM(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := PublicKeyPEM(data); err == nil && (k.takes("HS256") || k.takes("none")) {
			t.Fatalf("a public key takes %v", k.algorithms)
		}
	})
}

func FuzzReadKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"id":"aaaaaaaaaa","name":"shop","hash":"00","grants":[{"rights":["read"],"group":"docs","mode":"*"}],"scope":{"sessions":["*"]}}]}`))
	f.Add([]byte(`{"keys":[{"grants":[{"rights":["all"]}]}]}`))
	f.Add([]byte(`{"more":1}`))
	path := filepath.Join(f.TempDir(), "keys.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := ReadKeys(path)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Fatalf("the error does not name the file: %v", err)
		}
		for _, k := range keys {
			if k.matches("") || k.matches("elk_"+k.ID+"_") {
				t.Fatalf("an empty secret fits %+v", k)
			}
		}
	})
}

// FuzzToken is of tokens as they come: none that was not signed is taken.
func FuzzToken(f *testing.F) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	key, err := Secret(secret)
	if err != nil {
		f.Fatal(err)
	}
	tokens := NewTokens(&Issuer{Name: "shop", Audience: "editlock", Keys: FixedKeys{key}})
	good, err := Mint(secret, PageToken{Issuer: "shop", Audience: "editlock", Owner: editlock.Owner{Session: "s", UserID: "u"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".")
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := tokens.authenticate(context.Background(), raw)
		if err == nil && !signedBy(secret, raw) {
			t.Fatalf("%q is taken for %+v", raw, c)
		}
		if err != nil && !errors.Is(err, editlock.ErrUnauthenticated) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// signedBy checks a token's HMAC without the code under test. Seeds are another
// process's when fuzzing, so they can't be told by their text.
func signedBy(secret []byte, token string) bool {
	i := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token[:i]))
	return err == nil && hmac.Equal(signature, mac.Sum(nil))
}

// FuzzClaims is of the bodies of tokens that are signed.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"u","sid":"s","groups":["a"],"name":"n"}`, `{"sub":1}`, `{"sub":"u","jti":"j","groups":"a b","editlock":{"rank":1,"grants":[{"rights":["read"]}]}}`,
		`{"sub":"u","sid":"\u0000"}`, `{"sub":"u","editlock":null}`, `{"a":{"b":["c"]},"a.b":["d"]}`,
	} {
		f.Add([]byte(seed), "groups")
		f.Add([]byte(seed), "a.b")
	}
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		var c claimSet
		if json.Unmarshal(data, &c) != nil {
			return
		}
		_, _ = c.own()
		caller, err := (Claims{Groups: path}).person(nil, c, "id:", nil)
		if err != nil {
			return
		}
		if caller, err = settle(caller, "", realmOf("shop"), c.session()); err != nil {
			return
		}
		if err := caller.Owner.Validate(); err != nil || !strings.HasPrefix(caller.Owner.UserID, "id:") {
			t.Fatalf("%+v: %v", caller.Owner, err)
		}
	})
}
