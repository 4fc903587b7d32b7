package demo

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/editlock/editlock/client/js"
	"github.com/editlock/editlock/internal/avatar"
	"github.com/editlock/editlock/internal/duration"
	"github.com/editlock/editlock/internal/entry"
)

//go:embed templates
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// clientFiles are editlock's own part of the pages, as any site would serve
// them.
var clientFiles = js.Files()

// page is everything the templates need in one language.
type page struct {
	lang      string
	words     words
	templates *template.Template
}

// view is what a template sees.
type view struct {
	Lang      string
	Root      string // relative address of the server's root
	Assets    string // where style sheet, scripts and fonts are, from there
	Words     words
	Here      string // path of this page
	Person    person
	Documents []card
	Document  *card // open in the editor; nil: none
	Revision  revision
	Sections  []section // of the document that is open
	Idle      string    // as the API takes it
	Group     string
	NameError bool
	People    []person // offered by name
}

// Divided says that each section of the form has a lock of its own.
func (v *view) Divided() bool { return len(v.Sections) > 1 }

// card is a document in the list.
type card struct {
	ID, Kind, Number, Title string
	Open                    bool
}

// filled is an input and its value.
type filled struct {
	Field field
	Value string
}

func parsePages() map[string]*page {
	pages := make(map[string]*page)
	for _, lang := range entry.Languages {
		p := &page{lang: lang, words: loadWords(lang)}
		p.templates = template.Must(template.New("").
			Funcs(template.FuncMap{"t": p.words.text, "args": func(f field, value string) filled { return filled{f, value} }}).
			ParseFS(templateFiles, "templates/*.html"))
		pages[lang] = p
	}
	return pages
}

// index is the list of documents, with a word on what to try.
func (h *handler) index(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	p, ok := personOf(r)
	if !ok || r.URL.Query().Has("person") {
		h.welcome(w, r, http.StatusOK, r.URL.Query().Get("next"), false)
		return
	}
	h.render(w, r, http.StatusOK, "list", &view{Person: p})
}

// document is the list with one document open: by sections, if its form has any and the
// query does not ask for the whole.
func (h *handler) document(w http.ResponseWriter, r *http.Request) {
	doc := h.office.find(r.PathValue("id"))
	if doc == nil {
		entry.Redirect(w, r, "/demo/")
		return
	}
	p, ok := personOf(r)
	if !ok {
		h.welcome(w, r, http.StatusOK, r.URL.Path, false)
		return
	}
	lang := languageOf(r)
	open, form := h.card(doc, lang), doc.form()
	if r.URL.Query().Has("whole") {
		form = []section{{Fields: fieldsOf(form)}}
	}
	h.render(w, r, http.StatusOK, "editor", &view{Person: p, Document: &open, Revision: doc.read(lang), Sections: form})
}

// welcome asks who the reader is, and then leads to next.
func (h *handler) welcome(w http.ResponseWriter, r *http.Request, status int, next string, wrong bool) {
	words := h.pages[languageOf(r)].words
	v := &view{Here: h.localPath(next), NameError: wrong}
	for _, key := range []string{"person.1", "person.2", "person.3"} {
		v.People = append(v.People, person{Name: words[key]})
	}
	h.render(w, r, status, "welcome", v)
}

// switchedLanguage answers ?lang= by remembering the choice, and leads to next.
func (h *handler) switchedLanguage(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	lang := q.Get("lang")
	if lang == "" {
		return false
	}
	if entry.Spoken(lang) {
		setCookie(w, languageCookie, lang)
	}
	entry.Redirect(w, r, h.localPath(q.Get("next")))
	return true
}

func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, name string, v *view) {
	p := h.pages[languageOf(r)]
	v.Lang, v.Words = p.lang, p.words
	v.Root, v.Assets = entry.Root(r), "demo/assets/"+assetsVersion
	v.Group, v.Idle = Group, duration.Text(h.idle)
	if v.Here == "" {
		v.Here = r.URL.Path
	}
	for _, d := range h.office.documents {
		c := h.card(d, p.lang)
		c.Open = v.Document != nil && v.Document.ID == c.ID
		v.Documents = append(v.Documents, c)
	}
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (h *handler) card(d *document, lang string) card {
	return card{ID: d.ID, Kind: d.Kind, Number: d.Number, Title: d.read(lang).Fields["title"]}
}

// assetsVersion is part of the assets' addresses, so that a browser may keep them
// for good.
var assetsVersion = entry.Version(assetFiles, clientFiles, avatar.Files())

func serveAssets() http.Handler {
	files, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		panic(err) // the name is a constant
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(files))
	mux.Handle("/avatar/", http.StripPrefix("/avatar/", http.FileServerFS(avatar.Files())))
	mux.Handle("/editlock/", http.StripPrefix("/editlock/", http.FileServerFS(clientFiles)))
	serve := http.StripPrefix("/demo/assets/"+assetsVersion, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		serve.ServeHTTP(w, r)
	})
}
