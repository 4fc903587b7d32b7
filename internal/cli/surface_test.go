package cli_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

// What cells say: the status, the code of a problem, where a redirect leads.
const (
	unknown  = "401 unauthenticated"
	no       = "403 forbidden"
	missing  = "404 not_found"
	ok       = "200"
	itemNo   = "200 forbidden" // the only item's own result
	logsIn   = "303 /auth/login"
	html403  = "403"
	html404  = "404"
	provider = "303 provider"
)

// surface is what each kind of caller gets at each route. A route that has no
// row fails the test, and so does a row that has no route.
var surface = []struct {
	route   string // as it is registered, or as the OpenAPI document has it
	send    string // the path to call; empty: the route's
	body    string
	changes bool // an entitled caller's call changes what is held
	//    nobody, refused, powerless, elsewhere, entitled, backend; anybody of an open server
	want [7]string
}{
	{"POST /v1/capture", "", `{"mutex":{"group":"docs","id":"new"}OWNER}`, true, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/refresh", "", `{"items":[{"mutex":{"group":"docs","id":"mine"},"token":MYTOKEN,"status_data":"x"}]OWNER}`, true, [7]string{unknown, unknown, itemNo, itemNo, ok, ok, ok}},
	{"POST /v1/request", "", `{"mutex":{"group":"docs","id":"theirs"}OWNER}`, false, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/release", "", `{"mutex":{"group":"docs","id":"mine"}OWNER}`, true, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/takeover", "", `{"mutex":{"group":"docs","id":"theirs"},"seen_token":THEIRTOKEN,"reason":"so"OWNER}`, true, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/force-release", "", `{"mutex":{"group":"docs","id":"theirs"},"seen_token":THEIRTOKEN,"reason":"so"OWNER}`, true, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/release-session", "", `{"session":"THEIRSESSION"OWNER}`, true, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/hand-over", "", `{"mutex":{"group":"docs","id":"mine"}OWNER}`, false, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/decline", "", `{"mutex":{"group":"docs","id":"mine"},"waiter":"w1"OWNER}`, false, [7]string{unknown, unknown, no, no, ok, ok, ok}},
	{"POST /v1/presence", "", `{"page":"p","looks":[{"mutex":{"group":"docs","id":"theirs"}}]OWNER}`, false, [7]string{unknown, unknown, itemNo, itemNo, ok, ok, ok}},
	{"POST /v1/presence-query", "", `{"mutexes":[{"group":"docs","id":"theirs"}]OWNER}`, false, [7]string{unknown, unknown, itemNo, itemNo, ok, ok, ok}},
	{"GET /v1/mutexes", "", "", false, [7]string{unknown, unknown, no, ok, ok, ok, ok}},
	{"GET /v1/history", "", "", false, [7]string{unknown, unknown, no, ok, ok, ok, ok}},
	{"GET /v1/events", "", "", false, [7]string{unknown, unknown, no, ok, ok, ok, ok}},

	// For everybody, whatever they show.
	{"GET /healthz", "", "", false, [7]string{ok, ok, ok, ok, ok, ok, ok}},
	{"GET /readyz", "", "", false, [7]string{ok, ok, ok, ok, ok, ok, ok}},
	{"GET /openapi.json", "", "", false, [7]string{ok, ok, ok, ok, ok, ok, ok}},
	{"GET /docs", "", "", false, [7]string{ok, ok, ok, ok, ok, ok, ok}},
	{"GET /editlock/", "/editlock/element.js", "", false, [7]string{ok, ok, ok, ok, ok, ok, ok}},
	{"/", "/nowhere", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},

	// They tell nothing of any one mutex, so admin of some will do.
	{"GET /metrics", "", "", false, [7]string{unknown, unknown, no, ok, ok, ok, ok}},

	// The lock manager.
	{"GET /{$}", "/", "", false, [7]string{logsIn, unknown, ok, ok, ok, ok, ok}},
	{"/{$}", "/", "", false, [7]string{logsIn, unknown, ok, ok, ok, ok, ok}},
	{"GET /ui/lock", "/ui/lock?id=docs//theirs", "", false, [7]string{logsIn, unknown, html403, html403, ok, ok, ok}},
	{"GET /ui/person", "/ui/person?who=u:petrov", "", false, [7]string{logsIn, unknown, ok, ok, ok, ok, ok}},
	{"GET /ui/tree", "/ui/tree?open=docs/&open=docs//", "", false, [7]string{logsIn, unknown, ok, ok, ok, ok, ok}},
	{"GET /ui/history", "", "", false, [7]string{logsIn, unknown, html403, ok, ok, ok, ok}},
	{"GET /ui/history.csv", "", "", false, [7]string{logsIn, unknown, html403, ok, ok, ok, ok}},
	{"GET /ui/history.json", "", "", false, [7]string{logsIn, unknown, html403, ok, ok, ok, ok}},
	{"POST /ui/confirm", "/ui/confirm?do=takeover", "lock=docs//theirs+THEIRTOKEN", false, [7]string{unknown, unknown, html403, html403, ok, html403, ok}},
	// Refused ones are told of on a page, one by one.
	{"POST /ui/act", "/ui/act?do=takeover", "lock=docs//theirs+THEIRTOKEN&reason=so", true, [7]string{unknown, unknown, ok, ok, "303 /", ok, "303 /"}},
	{"GET assetsPath/", "/ui/assets/none/main.js", "", false, [7]string{logsIn, unknown, html404, html404, html404, html404, html404}},
	{"/ui/", "/ui/nowhere", "", false, [7]string{logsIn, unknown, html404, html404, html404, html404, html404}},
	// Who is known states no name; anybody must.
	{"GET /ui/me", "", "", false, [7]string{logsIn, unknown, html404, html404, html404, html404, ok}},
	{"POST /ui/me", "", "name=Petrov", false, [7]string{unknown, unknown, html404, html404, html404, html404, "303 /"}},

	// Beside the server: not on its address.
	{"GET /debug/pprof/", "", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"GET /debug/pprof/profile", "", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"GET /debug/pprof/symbol", "", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"GET /debug/pprof/trace", "", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},

	// The demo goes with open servers only.
	{"GET /demo/{$}", "/demo/", "", false, [7]string{missing, missing, missing, missing, missing, missing, ok}},
	{"GET /demo/documents/{id}", "/demo/documents/1", "", false, [7]string{missing, missing, missing, missing, missing, missing, "303 /demo/"}},
	{"POST /demo/person", "", "name=x", false, [7]string{missing, missing, missing, missing, missing, missing, "303 /demo/"}},
	{"GET /demo/api/documents/{id}", "/demo/api/documents/1", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"POST /demo/api/documents/{id}", "/demo/api/documents/1", `{}`, false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"POST /demo/assistant", "", "", false, [7]string{missing, missing, missing, missing, missing, missing, "303 /demo/"}},
	{"GET /demo/assets/assetsVersion/", "/demo/assets/x/demo.js", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"/demo/", "/demo/nowhere", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"/avatar/", "/demo/assets/x/avatar/avatar.js", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},
	{"/editlock/", "/demo/assets/x/editlock/editlock.js", "", false, [7]string{missing, missing, missing, missing, missing, missing, missing}},

	// The login. The last row ends those that there are.
	{"GET /auth/login", "", "", false, [7]string{provider, provider, provider, provider, provider, provider, missing}},
	{"GET /auth/callback", "/auth/callback?code=x&state=ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", false, [7]string{html403, html403, html403, html403, html403, html403, missing}},
	{"POST /auth/logout", "", "x=", false, [7]string{ok, ok, ok, ok, ok, ok, missing}},
}

// routes are all there are: those of the OpenAPI document, and what the
// sources register.
func routes(t *testing.T, s *served) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(s.call(t, "GET", "/openapi.json", "", nil).body), &doc); err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, methods := range doc.Paths {
		for method := range methods {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	for _, folder := range []string{"server/webui", "server/auth", "internal/cli", "examples/demo", "server/httpapi"} {
		found := registered(t, filepath.Join("..", "..", folder))
		if len(found) == 0 {
			t.Errorf("nothing is found in %s", folder)
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// described are the routes of httpapi that the document does not have.
var described = regexp.MustCompile(`"(/[^"]*)":\s*\{method: http\.Method(\w+)`)

// registered are the patterns that a package gives to Handle and HandleFunc.
// What they call or name stands there by its name.
func registered(t *testing.T, folder string) []string {
	t.Helper()
	set := token.NewFileSet()
	packages, err := parser.ParseDir(set, folder, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0) //nolint:staticcheck // build tags don't matter here
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range packages {
		ast.Inspect(p, func(n ast.Node) bool {
			call, isCall := n.(*ast.CallExpr)
			if !isCall || len(call.Args) != 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Handle" || f.Sel.Name == "HandleFunc") {
				found = append(found, textOf(call.Args[0]))
			}
			return true
		})
	}
	if filepath.Base(folder) == "httpapi" {
		for _, m := range described.FindAllStringSubmatch(read(t, filepath.Join(folder, "handler.go")), -1) {
			found = append(found, strings.ToUpper(m[2])+" "+m[1])
		}
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	case *ast.CallExpr:
		return textOf(e.Fun)
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}

func TestSurface_HasARowForEachRoute(t *testing.T) {
	d := deploy(t)
	var rows []string
	for _, row := range surface {
		rows = append(rows, row.route)
	}
	slices.Sort(rows)
	all := routes(t, d.servers[0])
	for _, route := range all {
		if _, ok := slices.BinarySearch(rows, route); !ok {
			t.Errorf("%s has no row: what does each kind of caller get there?", route)
		}
	}
	for i, route := range rows {
		if _, ok := slices.BinarySearch(all, route); !ok {
			t.Errorf("the row %s has no route", route)
		}
		if i > 0 && rows[i-1] == route {
			t.Errorf("%s has two rows", route)
		}
	}
}

// What each kind of caller gets at each route of a server that is configured,
// and that those who are refused change nothing and learn nothing.
func TestSurface_OfEachKindOfCaller(t *testing.T) {
	d, keys := deployWithKeys(t)
	const holder = "Petrov Who Holds It"
	for _, c := range callers(t, d, keys) {
		for _, row := range surface {
			t.Run(c.name+" at "+row.route, func(t *testing.T) {
				theirs := d.hold(t, c.at, "theirs", editlock.Owner{Session: "petrov-1", UserID: "petrov", Name: holder})
				mine := d.own(t, "mine", &c)
				method, path, body := c.ask(row.route, row.send, row.body, mine, theirs)
				before := d.state(t, c.at)
				got := c.at.call(t, method, path, body, c.header)
				after := d.state(t, c.at)

				if said := d.tell(got); said != row.want[c.kind] {
					t.Errorf("got %s, want %s: %.300s", said, row.want[c.kind], got.body)
				}
				if got.status == http.StatusUnauthorized && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), `Bearer realm="editlock"`) {
					t.Errorf("WWW-Authenticate is %q", got.header.Get("WWW-Authenticate"))
				}
				may := row.changes && c.kind >= entitled && row.want[c.kind] != row.want[powerless]
				if changed := before != after; changed != may {
					t.Errorf("it changes what is held: %v, want %v\nbefore: %s\nafter:  %s", changed, may, before, after)
				}
				if c.kind < entitled && strings.Contains(got.body, holder) {
					t.Errorf("it tells who holds what is not theirs: %.300s", got.body)
				}
				d.clear(t, c.at)
			})
		}
	}
}

// theirsShown is the session petrov-1 of the keys as all others are shown it.
var theirsShown = func() string {
	sum := sha256.Sum256([]byte("editlock realm\x00" + keyName))
	return "~" + base64.RawURLEncoding.EncodeToString(sum[:12]) + "~petrov-1"
}()

// ask is what a caller sends for a row of a table.
func (c *caller) ask(route, send, body string, mine, theirs uint64) (method, path, filled string) {
	owner, session := "", theirsShown
	if c.states {
		session = "petrov-1"
		owner = fmt.Sprintf(`,"owner":{"session":%q,"user_id":%q}`, c.owner.Session, c.owner.UserID)
	}
	filled = strings.NewReplacer("MYTOKEN", fmt.Sprint(mine), "THEIRTOKEN", fmt.Sprint(theirs), "MYSESSION", c.owner.Session, "THEIRSESSION", session, "OWNER", owner).Replace(body)
	method, path, isMethod := strings.Cut(route, " ")
	if !isMethod {
		method, path = "GET", route
	}
	if send != "" {
		path = send
	}
	return method, path, filled
}

// clear releases all that is held.
func (d *deployment) clear(t *testing.T, s *served) {
	t.Helper()
	var list struct {
		Mutexes []struct{ Owner struct{ Session string } }
	}
	d.operate(t, s, "GET", "/v1/mutexes?limit=1000", nil, &list)
	for _, m := range list.Mutexes {
		d.operate(t, s, "POST", "/v1/release-session", map[string]string{"session": m.Owner.Session}, nil)
	}
}

// deployWithKeys makes the callers' keys before the servers read them.
func deployWithKeys(t *testing.T) (*deployment, map[string]string) {
	t.Helper()
	d := deploy(t)
	return d, keysOf(t, d)
}

// tell is an answer as cells say it.
func (d *deployment) tell(got answered) string {
	text := fmt.Sprint(got.status)
	var problem struct {
		Code    string
		Results []struct{ Code string }
	}
	_ = json.Unmarshal([]byte(got.body), &problem)
	if len(problem.Results) == 1 {
		problem.Code = problem.Results[0].Code
	}
	if problem.Code != "" {
		text += " " + problem.Code
	}
	if to := got.header.Get("Location"); to != "" {
		if strings.HasPrefix(to, d.provider.URL) {
			return text + " provider"
		}
		at, _ := url.Parse(to)
		text += " " + at.Path
	}
	return text
}
