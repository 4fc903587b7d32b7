package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/server/httpapi"
)

var update = flag.Bool("update", false, "write testdata again")

func serveOnce(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	httpapi.New(instant{}, nil).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// TestOpenAPI_IsAsRecorded makes each change of the document visible in a
// review. go test ./httpapi -update records it.
func TestOpenAPI_IsAsRecorded(t *testing.T) {
	got := serveOnce("/openapi.json").Body.Bytes()
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go test ./httpapi -update if this is meant (-want +got):\n%s", diff)
	}
}

func TestOpenAPI_NamesWhatItRefersTo(t *testing.T) {
	data := serveOnce("/openapi.json").Body.String()
	s := loadSpec(t)
	for _, ref := range regexp.MustCompile(`"#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(data, -1) {
		kind, name := ref[1], ref[2]
		_, isSchema := s.Components.Schemas[name]
		_, isResponse := s.Components.Responses[name]
		if kind == "schemas" && !isSchema || kind == "responses" && !isResponse {
			t.Errorf("%s is referred to and not there", ref[0])
		}
	}
}

func TestOpenAPI_HasEveryCodeWithItsStatus(t *testing.T) {
	s := loadSpec(t)
	for _, k := range wire.Kinds {
		about := s.Components.Responses[fmt.Sprint(k.Status)].Description
		if !strings.Contains(about, "`"+string(k.Code)+"`") {
			t.Errorf("%d %s is not documented", k.Status, k.Code)
		}
	}
	var codes struct{ Enum []wire.Code }
	if err := json.Unmarshal(s.Components.Schemas["Problem"].Properties["code"], &codes); err != nil {
		t.Fatal(err)
	}
	var want []wire.Code
	for _, k := range wire.Kinds {
		want = append(want, k.Code)
	}
	if diff := cmp.Diff(want, codes.Enum); diff != "" {
		t.Errorf("codes of a problem (-want +got):\n%s", diff)
	}
}

func TestOpenAPI_HasEveryEndpoint(t *testing.T) {
	var got []string
	for path, methods := range loadSpec(t).Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /healthz", "GET /readyz", "GET /v1/events", "GET /v1/history", "GET /v1/mutexes",
		"POST /v1/capture", "POST /v1/decline", "POST /v1/force-release", "POST /v1/hand-over", "POST /v1/presence", "POST /v1/presence-query", "POST /v1/refresh",
		"POST /v1/release", "POST /v1/release-session", "POST /v1/request", "POST /v1/takeover",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOpenAPI_HasTheFieldsThatAreRead compares the schemas with the types
// that bodies are read into.
func TestOpenAPI_HasTheFieldsThatAreRead(t *testing.T) {
	s := loadSpec(t)
	for _, form := range []any{
		wire.CaptureRequest{},
		wire.RefreshRequest{},
		wire.RefreshItem{},
		wire.LookRequest{},
		wire.ReleaseRequest{},
		wire.TakeoverRequest{},
		wire.ForceReleaseRequest{},
		wire.ReleaseSessionRequest{},
		wire.HandOverRequest{},
		wire.DeclineRequest{},
		wire.PresenceRequest{},
		wire.PresenceQuery{},
		wire.Looks{},
		wire.Look{},
		wire.Company{},
		wire.Person{},
		wire.Record{},
		wire.ID{},
		wire.Owner{},
		wire.AutoRelease{},
		wire.Condition{},
		wire.Mutex{},
		wire.Waiter{},
		wire.Entry{},
		wire.Problem{},
	} {
		typ := reflect.TypeOf(form)
		var want, got []string
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		for name := range s.Components.Schemas[typ.Name()].Properties {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typ.Name(), diff)
		}
	}
}

func TestDocs(t *testing.T) {
	w := serveOnce("/docs")
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("status %d, %q", w.Code, w.Header().Get("Content-Type"))
	}
	t.Run("loads nothing from anywhere", func(t *testing.T) {
		for _, what := range []string{"http://", "https://", "<script", "<link", "@import", "url(", "src="} {
			if strings.Contains(page, what) {
				t.Errorf("the page has %s", what)
			}
		}
	})
	t.Run("shows every call and form", func(t *testing.T) {
		s := loadSpec(t)
		for path := range s.Paths {
			if !strings.Contains(page, `<span class="path">`+path+`</span>`) {
				t.Errorf("%s is missing", path)
			}
		}
		for name := range s.Components.Schemas {
			if !strings.Contains(page, `id="`+name+`"`) {
				t.Errorf("%s is missing", name)
			}
		}
	})
	t.Run("has no link that leads nowhere", func(t *testing.T) {
		for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if !strings.Contains(page, `id="`+link[1]+`"`) {
				t.Errorf("#%s is missing", link[1])
			}
		}
	})
	t.Run("is well-formed where text has marks of its own", func(t *testing.T) {
		if bytes.Count(w.Body.Bytes(), []byte("<ul>")) != bytes.Count(w.Body.Bytes(), []byte("</ul>")) || strings.Contains(page, "ZgotmplZ") {
			t.Error("lists don't close, or a template was refused")
		}
	})
}
