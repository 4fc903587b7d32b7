package webui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/avatar"
	"github.com/editlock/editlock/internal/bidi"
	"github.com/editlock/editlock/internal/entry"
)

//go:embed templates
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// maxForm is in bytes, as a body of the API. A bulk action of as many locks as
// there may be has room for names of 500 bytes, encoded.
const maxForm = 512 << 10

// pages are the templates in one language.
type pages struct {
	words     words
	templates map[string]*template.Template // by where the server's root is, as entry.Root has it
	script    template.JS                   // the words that scripts use
}

// roots are where the root is from the list, and from all other pages.
var roots = []string{"./", "../"}

// parsePages parses them for a manager whose locks have links.
func parsePages(records links) map[string]*pages {
	out := make(map[string]*pages)
	for _, lang := range entry.Languages {
		p := &pages{words: loadWords(lang), templates: map[string]*template.Template{}}
		for _, root := range roots {
			p.templates[root] = template.Must(template.New("").Funcs(template.FuncMap{
				"t": p.words.text, "named": p.words.named, "last": last, "place": placeOf, "n": p.words.number, "dur": p.words.duration,
				"utc": utc, "stamp": stamp, "moment": momentOf, "personURL": personURL, "lockURL": lockURL,
				"treeOf": treeOf, "historyBelow": historyBelow, "namesBelow": namesBelow, "link": func(page string) string { return root + strings.TrimPrefix(page, "/") },
				"record": func(id editlock.ID) string {
					to := records.Of(id)
					if page, ok := strings.CutPrefix(to, "/"); ok {
						return root + page
					}
					return to
				},
				"badge": avatar.Badge, "bdi": isolated, "isolate": bidi.Isolate, "written": written,
			}).ParseFS(templateFiles, "templates/*.html"))
		}
		forScripts := map[string]string{}
		for key, text := range p.words {
			if name, ok := strings.CutPrefix(key, "script."); ok {
				forScripts[name] = text
			}
		}
		data, _ := json.Marshal(forScripts) // strings: can't fail
		p.script = template.JS(data)        //nolint:gosec // built in, and JSON escapes < and >
		out[lang] = p
	}
	return out
}

// page says which page is rendered, and how.
type page struct {
	Name   string // of the template; also marks the place in the navigation
	Title  string // key of a text
	Titled string // what the text is about
	Status int    // 0: 200
	Live   bool   // the script keeps it current
	Nav    string
	At     string // the address of what it shows; empty: the request's own
}

// view is what a template sees.
type view struct {
	page
	Lang   string
	Assets string
	Me     Identity
	Demo   bool
	Logout string // where to end the login; empty: there is none
	Here   string // path and query of this page, without a language
	Data   any
	Done   string // what has just been done
	Asked  asks   // what others want of the reader

	Content template.HTML
	Words   template.JS
	Now     string // the store's time
	Tag     string
}

// LanguageURL is this page in another language.
func (v view) LanguageURL(lang string) string {
	at, query, _ := strings.Cut(v.Here, "?")
	q, _ := url.ParseQuery(query)
	q.Set("lang", lang)
	return at + "?" + q.Encode()
}

// Remembers reports whether there is history that the reader is shown.
func (v view) Remembers() bool { return v.Me.remembers(nil) }

// elsewhere are the notices at addresses that no page has, by their status.
var elsewhere = map[int]string{
	http.StatusNotFound:           "page.missing",
	http.StatusMethodNotAllowed:   "page.method",
	http.StatusForbidden:          "page.foreign",
	http.StatusMisdirectedRequest: "page.host",
}

// render writes a page. Its content does not depend on the time, so a reader
// who has it already hears 304 and the time; see assets/live.js.
func (h *handler) render(w http.ResponseWriter, r *http.Request, p page, data any) {
	lang := languageOf(r)
	in := h.pages[lang]
	v := view{
		page: p, Lang: lang, Assets: assetsPath, Me: h.identify(r), Demo: h.demo, Logout: h.logout, Here: p.At, Data: data,
		Words: in.script, Done: h.done(w, r, in.words),
	}
	if v.Here == "" {
		v.Here = here(r)
	}
	if v.Titled == "" {
		v.Titled, _ = in.words.text(p.Title)
	}
	templates, ok := in.templates[entry.Root(r)]
	if !ok { // no page has such an address
		entry.Notice{Status: p.Status, Key: elsewhere[p.Status], Ways: []entry.Way{entry.Home}}.Write(w, r)
		return
	}
	if p.Live {
		v.Asked = h.asked(r, v.Me)
	}
	var content, whole, wants bytes.Buffer
	if err := templates.ExecuteTemplate(&content, p.Name, v); err != nil {
		h.unmade(w, r, p, err)
		return
	}
	if err := templates.ExecuteTemplate(&wants, "asked", v.Asked); err != nil {
		h.unmade(w, r, p, err)
		return
	}
	sum := sha256.Sum256(slices.Concat(content.Bytes(), wants.Bytes(), []byte(v.Me.Owner.Name+lang)))
	v.Tag = hex.EncodeToString(sum[:8])
	v.Now = stamp(h.scans.now())
	head := w.Header()
	head.Set("Vary", "Accept-Language, Cookie")
	head.Set("Cache-Control", "no-store")
	head.Set("Editlock-Now", v.Now)
	if p.Live && r.Method == http.MethodGet && r.Header.Get("If-None-Match") == `"`+v.Tag+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	v.Content = template.HTML(content.String()) //nolint:gosec // made by a template, two lines above
	if err := templates.ExecuteTemplate(&whole, "layout", v); err != nil {
		h.unmade(w, r, p, err)
		return
	}
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("ETag", `"`+v.Tag+`"`)
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, _ = w.Write(whole.Bytes())
}

// unmade answers where a template fails.
func (h *handler) unmade(w http.ResponseWriter, r *http.Request, p page, err error) {
	h.log.Error("rendering a page", "page", p.Name, "error", err)
	entry.Notice{Status: http.StatusInternalServerError, Key: "page.failed", Ways: []entry.Way{entry.Home}}.Write(w, r)
}

// failure is a page that says what is wrong.
type failure struct {
	Lead, Text, Detail string
	Again              bool // trying again may help
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	h.render(w, r, page{Name: "error", Title: key, Status: status}, failure{Lead: key, Text: key + ".more"})
}

// refuse turns an error of the Locker into a page.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, editlock.ErrInvalid):
		h.render(w, r, page{Name: "error", Title: "error.invalid", Status: http.StatusBadRequest},
			failure{Lead: "error.invalid", Text: "error.invalid.more", Detail: err.Error()})
	case errors.Is(err, editlock.ErrForbidden):
		h.fail(w, r, http.StatusForbidden, "error.may_not")
	case errors.Is(err, editlock.ErrLimited):
		w.Header().Set("Retry-After", "10")
		h.fail(w, r, http.StatusTooManyRequests, "error.limited")
	case r.Context().Err() != nil: // the reader is gone
	default:
		h.log.Warn("asking the store", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
		h.render(w, r, page{Name: "error", Title: "error.store", Status: http.StatusServiceUnavailable, Live: r.Method == http.MethodGet},
			failure{Lead: "error.store", Text: "error.store.more", Again: true})
	}
}

// readForm parses a form; false: it answered that there is none.
func (h *handler) readForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
			if h.tooLarge != nil {
				h.tooLarge()
			}
		}
		h.fail(w, r, status, "error.form")
		return false
	}
	return true
}

// switchedLanguage answers ?lang= by remembering the choice.
func (h *handler) switchedLanguage(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	lang := q.Get("lang")
	if lang == "" {
		return false
	}
	if entry.Spoken(lang) {
		setCookie(w, r, languageCookie, lang, yearInSecs)
	}
	entry.Redirect(w, r, localPath(here(r)))
	return true
}

// here is the address of a request on this server, without a language.
func here(r *http.Request) string {
	q := r.URL.Query()
	q.Del("lang")
	if len(q) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + q.Encode()
}

// localPath lets a form lead to a page of the manager only.
func localPath(to string) string {
	to = entry.Local(to)
	if u, err := url.Parse(to); err != nil || u.Path != "/" && !strings.HasPrefix(u.Path, "/ui/") {
		return "/"
	}
	return to
}

// isolated is what somebody wrote, so that it does not change the order in
// which the page around it is read.
func isolated(text any) template.HTML {
	shown := template.HTMLEscapeString(bidi.Shown(fmt.Sprint(text)))
	return template.HTML("<bdi>" + shown + "</bdi>") //nolint:gosec // escaped in the line above
}

func personURL(o editlock.Owner) string {
	return "/ui/person?" + url.Values{"who": {personKey(o)}}.Encode()
}

func lockURL(id editlock.ID) string {
	return "/ui/lock?" + url.Values{"id": {id.String()}}.Encode()
}

// momentOf is a time within a text; … for one that is not known.
func momentOf(t time.Time) string {
	if t.IsZero() {
		return "…"
	}
	return utc(t)
}

// stamp is a time for programs, utc the same for readers without scripts.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
func utc(t time.Time) string   { return t.UTC().Format("2006-01-02 15:04 UTC") }

// assetsPath names the version of the assets, so that a browser may keep them for
// good.
var assetsPath = "/ui/assets/" + entry.Version(assetFiles, avatar.Files())

// assets serves the files of the pages, and no lists of folders.
func (h *handler) assets() http.Handler {
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		panic(err) // the name is a constant
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, assetsPath+"/")
		files := own
		if shared, ok := strings.CutPrefix(name, "avatar/"); ok {
			files, name = avatar.Files(), shared
		}
		if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
			h.fail(w, r, http.StatusNotFound, "error.page")
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeFileFS(w, r, files, name)
	})
}
