package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/editlock/editlock/server/httpapi"
)

// schemas are those of the OpenAPI document, by where they stand in it.
var schemas = struct {
	sync.Mutex
	compiler *jsonschema.Compiler
	known    map[string]*jsonschema.Schema
}{known: map[string]*jsonschema.Schema{}}

// checkSchema holds JSON text to the schema at a place of the OpenAPI document.
func checkSchema(t *testing.T, text string, place ...string) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Errorf("%v in %s", err, text)
		return
	}
	if err := schemaAt(t, place...).Validate(v); err != nil {
		t.Errorf("not as documented: %v\n%s", err, text)
	}
}

func schemaAt(t *testing.T, place ...string) *jsonschema.Schema {
	t.Helper()
	const document = "https://editlock.example/openapi.json"
	at := "#"
	for _, key := range place {
		at += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	schemas.Lock()
	defer schemas.Unlock()
	if s := schemas.known[at]; s != nil {
		return s
	}
	if schemas.compiler == nil {
		w := httptest.NewRecorder()
		httpapi.New(instant{}, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
		doc, err := jsonschema.UnmarshalJSON(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		schemas.compiler = jsonschema.NewCompiler()
		schemas.compiler.AssertFormat()
		if err := schemas.compiler.AddResource(document, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := schemas.compiler.Compile(document + at)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	schemas.known[at] = s
	return s
}

// checkAnswer holds the body of an answer of a documented status to the
// schema of its media type.
func checkAnswer(t *testing.T, method, path, status, ref string, r reply) {
	t.Helper()
	place := []string{"paths", path, strings.ToLower(method), "responses", status}
	if ref != "" {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	media, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	if media == "text/event-stream" {
		return // each event is checked where it is read
	}
	checkSchema(t, r.body, append(place, "content", media, "schema")...)
}

// checkEvent holds an event to what the document says of the stream.
func checkEvent(t *testing.T, e event) {
	t.Helper()
	if e.kind == "" {
		return // a mark to resume from, or a sign of life
	}
	checkSchema(t, e.data, "paths", "/v1/events", "get", "responses", "200", "content", "text/event-stream", "schema")
	is := "Entry"
	if e.kind == "problem" {
		is = "Problem"
	}
	checkSchema(t, e.data, "components", "schemas", is)
}

func TestCheckSchema_CanFail(t *testing.T) {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"seq":-1,"kind":"captured"}`))
	if err != nil {
		t.Fatal(err)
	}
	if schemaAt(t, "components", "schemas", "Entry").Validate(v) == nil {
		t.Error("half an entry, with a number below 0, passes")
	}
}
