package httpapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

// docs shows the OpenAPI document to people: one page that loads nothing from
// anywhere.
func docs(_ *Handler, w http.ResponseWriter, _ *http.Request) error {
	page, err := docsPage()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_, _ = w.Write(page)
	return nil
}

var docsPage = sync.OnceValues(func() ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{
		"prose": prose, "type": typeOf, "fields": fieldsOf, "names": sortedKeys[*huma.Schema], "statuses": sortedKeys[*huma.Response],
	}).Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, map[string]any{
		"Doc": document(), "Operations": documented(), "Schemas": document().Components.Schemas.Map(),
	})
	return page.Bytes(), err
})

// documented are the document's operations in the order of their list.
func documented() []*huma.Operation {
	var out []*huma.Operation
	for _, op := range operations() {
		item := document().Paths[op.path]
		if item.Post != nil {
			out = append(out, item.Post)
		} else {
			out = append(out, item.Get)
		}
	}
	return out
}

var code = regexp.MustCompile("`([^`]+)`")

// prose makes HTML of the little Markdown that descriptions use.
func prose(text string) template.HTML {
	var b strings.Builder
	list := false
	for line := range strings.SplitSeq(text, "\n") {
		item, isItem := strings.CutPrefix(line, "- ")
		if isItem != list {
			b.WriteString(map[bool]string{true: "<ul>", false: "</ul>"}[isItem])
			list = isItem
		}
		line = code.ReplaceAllString(template.HTMLEscapeString(item), "<code>$1</code>")
		if isItem {
			line = "<li>" + line
		}
		b.WriteString(line + "\n")
	}
	if list {
		b.WriteString("</ul>")
	}
	return template.HTML(b.String()) //nolint:gosec // escaped above
}

// typeOf says what a value looks like, with links to what has a name.
func typeOf(s *huma.Schema) template.HTML {
	switch {
	case s.Ref != "":
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		return template.HTML(fmt.Sprintf(`<a href="#%s">%[1]s</a>`, template.HTMLEscapeString(name))) //nolint:gosec // escaped
	case len(s.OneOf)+len(s.AnyOf) > 0:
		var parts []string
		for _, one := range slices.Concat(s.OneOf, s.AnyOf) {
			parts = append(parts, string(typeOf(one)))
		}
		return template.HTML(strings.Join(parts, " or ")) //nolint:gosec // of escaped parts
	case s.Type == huma.TypeArray:
		return "array of " + typeOf(s.Items)
	}
	text := s.Type
	if s.Format == "date-time" {
		text = "time"
	}
	if len(s.Enum) > 0 {
		text = strings.ReplaceAll(strings.Trim(fmt.Sprint(s.Enum), "[]"), " ", " | ")
	}
	if s.Nullable {
		text += " or null"
	}
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
}

// docField is a line of a table of fields.
type docField struct {
	Name     string
	Schema   *huma.Schema
	Required bool
}

// fieldsOf are an object's fields in their order in JSON.
func fieldsOf(s *huma.Schema) []docField {
	var out []docField
	for _, name := range sortedKeys(s.Properties) {
		out = append(out, docField{name, s.Properties[name], slices.Contains(s.Required, name)})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
