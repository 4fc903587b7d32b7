package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/editlock/editlock/internal/wire"
)

// document is the OpenAPI document. huma makes its schemas from the types
// that the handlers read into and answer with, and from their tags.
var document = sync.OnceValue(func() *huma.OpenAPI {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[wire.Code](), reflect.TypeFor[string]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "editlock",
			Version: "1",
			Description: "Named mutexes with human owners. Times are RFC 3339 in UTC, durations Go's (\"300s\", \"8h\"), in answers seconds (\"300s\", \"28800s\"). " +
				"Names that are unknown, or given twice, are `invalid`; null is as good as absent. " +
				"Errors are `application/problem+json` with a stable `code`:\n\n" + codeTable(),
		},
		// Relative to the document's own address: a proxy may serve the API below a
		// path that only its clients know.
		Servers: []*huma.Server{{URL: "."}},
		Components: &huma.Components{
			Schemas: schemas, Responses: problemResponses(schemas),
			SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {
				Type: "http", Scheme: "bearer",
				Description: "An API key or a JWT, where the server asks for one. docs/security.md says what they hold.",
			}},
		},
		Security: []map[string][]string{{"bearer": {}}, {}}, // or none, on a server without authentication
	}
	for _, op := range operations() {
		doc.AddOperation(op.document(schemas))
	}
	refine(schemas.Map())
	return doc
})

func codeTable() string {
	var b strings.Builder
	for _, k := range wire.Kinds {
		fmt.Fprintf(&b, "- %d `%s`: %s\n", k.Status, k.Code, k.Title)
	}
	return b.String()
}

// problemResponses are the answers other than 200, by status.
func problemResponses(schemas huma.Registry) map[string]*huma.Response {
	problem := schemas.Schema(reflect.TypeFor[wire.Problem](), true, "Problem")
	out := make(map[string]*huma.Response)
	for _, k := range wire.Kinds {
		status := strconv.Itoa(k.Status)
		about := fmt.Sprintf("`%s`: %s", k.Code, k.Title)
		if res := out[status]; res != nil {
			res.Description += "; " + about
			continue
		}
		out[status] = &huma.Response{
			Description: about,
			Content:     map[string]*huma.MediaType{wire.ProblemType: {Schema: problem}},
		}
	}
	return out
}

// anyPost and anyGet are the problems that any call may end with.
var (
	anyPost   = append([]wire.Code{wire.TooLarge, wire.UnsupportedMediaType}, anyGet...)
	anyGet    = append([]wire.Code{wire.Unauthenticated, wire.Forbidden, wire.Limited}, anyPublic...)
	anyPublic = []wire.Code{wire.Invalid, wire.MethodNotAllowed, wire.Internal, wire.Unavailable}
)

func (op operation) document(schemas huma.Registry) *huma.Operation {
	out := &huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.name, Summary: op.summary, Description: op.description,
		Responses: map[string]*huma.Response{},
	}
	problems := anyGet
	if op.public {
		problems = anyPublic
		out.Security = []map[string][]string{} // none
	}
	if op.body != nil {
		problems = anyPost
		schema := schemas.Schema(op.body, true, "")
		out.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
		if op.name == "release" || op.name == "presence" {
			out.RequestBody.Content["text/plain"] = &huma.MediaType{Schema: schema}
		}
	}
	for _, p := range op.params {
		out.Parameters = append(out.Parameters, p.document())
	}
	answer := &huma.Schema{}
	for _, t := range op.answers {
		answer.AnyOf = append(answer.AnyOf, schemas.Schema(t, true, "")) // what one release says, that of many says too
	}
	if len(answer.AnyOf) == 1 {
		answer = answer.AnyOf[0]
	}
	contentType := op.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	out.Responses["200"] = &huma.Response{Description: "Done", Content: map[string]*huma.MediaType{contentType: {Schema: answer}}}
	if op.accepted != "" {
		out.Responses["202"] = &huma.Response{Description: op.accepted, Content: map[string]*huma.MediaType{contentType: {Schema: answer}}}
	}
	for _, code := range append(problems[:len(problems):len(problems)], op.problems...) {
		k, _ := wire.KindOf(code)
		status := strconv.Itoa(k.Status)
		out.Responses[status] = &huma.Response{Ref: "#/components/responses/" + status}
	}
	return out
}

func (p param) document() *huma.Param {
	schema := &huma.Schema{Type: huma.TypeString}
	switch p.format {
	case "date-time":
		schema.Format = p.format
	case "int32", "uint64":
		schema.Type, schema.Format = huma.TypeInteger, p.format
	}
	return &huma.Param{Name: p.name, In: p.in, Description: p.about, Schema: schema}
}

// refine says what huma can't see in the types.
func refine(schemas map[string]*huma.Schema) {
	schemas["RefreshResult"] = &huma.Schema{
		Description: "The mutex as refreshed, or why it was not.",
		OneOf:       []*huma.Schema{{Ref: "#/components/schemas/Mutex"}, {Ref: "#/components/schemas/Problem"}},
	}
	for name, either := range map[string]string{"LookResult": "Company", "RecordResult": "Record"} {
		schemas[name] = &huma.Schema{
			Description: "Who is there, or why that is not told.",
			OneOf:       []*huma.Schema{{Ref: "#/components/schemas/" + either}, {Ref: "#/components/schemas/Problem"}},
		}
	}
	var codes []any
	for _, k := range wire.Kinds {
		codes = append(codes, k.Code)
	}
	schemas["Problem"].Properties["code"].Enum = codes
	orNull := func(schema, property string) {
		p := schemas[schema].Properties[property]
		schemas[schema].Properties[property] = &huma.Schema{
			Description: p.Description, OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}},
		}
	}
	orNull("CaptureAnswer", "mutex")
	for _, party := range []string{"mutex", "owner", "actor", "other"} {
		orNull("Entry", party)
	}
	orNull("Answer", "by")
	orNull("Record", "holder")
	for name, s := range schemas {
		if strings.HasSuffix(name, "Answer") || slices.Contains([]string{"Mutex", "Waiter", "Entry", "Problem", "Company", "Person", "Record"}, name) {
			s.AdditionalProperties = nil // a later version may tell more
		}
		for _, p := range s.Properties {
			if strings.Contains(p.Description, "1s to") || strings.Contains(p.Description, "up to 1h") {
				p.Examples = []any{"300s"}
			}
		}
	}
}

var documentJSON = sync.OnceValues(func() ([]byte, error) { return json.MarshalIndent(document(), "", "  ") })

func openAPI(_ *Handler, w http.ResponseWriter, _ *http.Request) error {
	data, err := documentJSON()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
	return nil
}
