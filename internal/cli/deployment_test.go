package cli_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/editlock/editlock/internal/cli"
	"github.com/editlock/editlock/server/auth"
)

// deployment is what an operator has: a provider of logins, keys of back ends,
// two issuers of tokens, and two servers that believe them. The second one's
// logins last a second.
type deployment struct {
	folder   string
	limits   string // in the form of the configuration
	provider *httptest.Server
	servers  [2]*served
	open     *served // of the demo, which knows nobody
	secret   []byte  // of the issuer shop
	rsa      *rsa.PrivateKey
	publicly []byte            // PEM
	operator string            // a key that may do everything
	issuers  map[string]string // the same for the sessions of an issuer
}

// served is one running server.
type served struct{ at, url string }

// The issuers and the people of the provider. Their logins differ in the first
// letter only, which is Cyrillic in the last one.
const (
	shopIssuer    = "shop"
	keyName       = "till" // of all keys, which so share their sessions
	idIssuer      = "https://id.example"
	loginCookie   = "editlock_login"
	chiefsLogin   = "chief"
	clerksLogin   = "clerk"
	lookalike     = "сhief"
	everyPassword = "verysecure"
)

// The rules know the chief by each way to prove who one is, and a stranger who
// may do everything in another group.
const rules = `
[[rule]]
users = ["chief", "id:chief", "login:chief"]
rights = ["admin"]
group = "docs"
mode = "*"

[[rule]]
users = ["stranger"]
rights = ["admin"]
group = "other"
mode = "*"
`

// unlimited lets callers ask as often as a table has cells.
const unlimited = `
[limits]
requests_per_second = 0
backend_requests_per_second = 0
refusals_per_second = 0
event_streams = 0
backend_event_streams = 0
`

func deploy(t *testing.T) *deployment {
	t.Helper()
	return deployWith(t, unlimited)
}

func deployWith(t *testing.T, limits string) *deployment {
	t.Helper()
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider writes there
	t.Cleanup(func() { slog.SetDefault(before) })

	d := &deployment{folder: t.TempDir(), limits: limits, secret: []byte(strings.Repeat("s", 32))}
	var err error
	if d.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&d.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	d.publicly = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, text := range map[string][]byte{"client.secret": []byte("s3cret"), "page.secret": d.secret, "id.pem": d.publicly} {
		d.write(t, name, text)
	}
	everything := []auth.Grant{{Rights: []auth.Right{auth.Admin}, Group: "*", Mode: "*"}}
	d.operator = d.key(t, auth.Key{Grants: everything})
	d.issuers = map[string]string{}
	for _, name := range []string{shopIssuer, idIssuer} {
		d.issuers[name] = d.key(t, auth.Key{Name: name, Grants: everything})
	}

	var callbacks []string
	d.open = free(t)
	for i := range d.servers {
		d.servers[i] = free(t)
		callbacks = append(callbacks, d.servers[i].url+"/auth/callback")
	}
	var provider http.Handler
	d.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(d.provider.Close)
	users := people{storage.NewUserStore(d.provider.URL)}
	provider = exampleop.SetupServer(d.provider.URL, storage.NewStorageWithClients(users,
		map[string]*storage.Client{"editlock": storage.WebClient("editlock", "s3cret", callbacks...)}), nil, false)
	for i, lifetime := range []string{"8h", "1s"} {
		d.serve(t, d.servers[i], lifetime)
	}
	d.open.run(t, "--demo")
	return d
}

// free is a server at an address that nobody has.
func free(t *testing.T) *served {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return &served{at: ln.Addr().String(), url: "http://" + ln.Addr().String()}
}

func (d *deployment) write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(d.folder, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve runs a server that knows its callers.
func (d *deployment) serve(t *testing.T, s *served, lifetime string) {
	t.Helper()
	conf := d.write(t, lifetime+".toml", fmt.Appendf(nil, `keys = "keys.json"

[[issuer]]
name = %q
audience = "editlock"
secret_file = "page.secret"

[[issuer]]
name = %q
audience = "editlock"
public_key_file = "id.pem"
user_prefix = "id:"

[login]
issuer = %q
client_id = "editlock"
client_secret_file = "client.secret"
public_url = %q
user_prefix = "login:"
lifetime = %q
%s%s%s`, shopIssuer, idIssuer, d.provider.URL, s.url, lifetime, rules, partialRules(), d.limits))
	s.run(t, "--config", conf)
}

// run serves, from memory, until the test ends.
func (s *served) run(t *testing.T, flags ...string) {
	t.Helper()
	s.runInto(t, io.Discard, flags...)
}

// runInto is run with the log going somewhere, to be read when it has ended.
func (s *served) runInto(t *testing.T, log io.Writer, flags ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, append([]string{"serve", "--listen", s.at, "--store", "memory:"}, flags...), nil, io.Discard, log, nil)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != 0 {
			t.Errorf("the server ended with status %d", status)
		}
	})
	await(t, "the server", func() bool {
		res, err := http.Get(s.url + "/healthz")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	})
}

// await waits for what no event tells of.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// key makes an API key, before the servers run, that may act for anybody.
func (d *deployment) key(t *testing.T, k auth.Key) string {
	t.Helper()
	if k.Name == "" {
		k.Name = keyName
	}
	k.Scope = auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}}
	k, secret := auth.NewKey(k)
	err := auth.ChangeKeys(filepath.Join(d.folder, "keys.json"), func(all []auth.Key) ([]auth.Key, error) { return append(all, k), nil })
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// token signs the claims of a good token, changed as told; nil takes one away.
func (d *deployment) token(t *testing.T, alg jose.SignatureAlgorithm, key any, user string, change map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claimsOf(user, change)).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func claimsOf(user string, change map[string]any) map[string]any {
	all := map[string]any{
		"iss": shopIssuer, "aud": "editlock", "sub": user, "sid": user + "-1", "name": user, "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, v := range change {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	return all
}

// unsigned is a token of alg none.
func unsigned(t *testing.T, user string) string {
	t.Helper()
	body, err := json.Marshal(claimsOf(user, nil))
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64(body) + "."
}
