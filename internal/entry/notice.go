package entry

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/editlock/editlock/internal/bidi"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/words"
)

// LanguageCookie keeps the language that a reader has chosen in the lock manager.
const LanguageCookie = "editlock_language"

// Notice is a page that says one thing. It loads nothing, so it looks the same
// wherever a proxy has put it, and depends on nobody's being known.
type Notice struct {
	Status int
	Key    string // of its heading in package words; the text has Key + ".more"
	Detail string // what is wrong, as programs are told; may be empty
	Ways   []Way  // where to go from here, the likeliest first
	Opens  bool   // the page opens the same address again, by itself
}

// Way is a link of a Notice.
type Way struct {
	Key string // of its text in package words
	// To is a page of this server, such as /ui/history, or https://… elsewhere.
	// Empty: the address of the request.
	To string
}

// Home leads to the lock manager.
var Home = Way{Key: "page.home", To: "/"}

//go:embed notice.html
var noticeHTML string

//go:embed notice.css
var noticeCSS string

var noticePage = template.Must(template.New("notice").Parse(noticeHTML))

var noticePolicy = func() string {
	sum := sha256.Sum256([]byte(noticeCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Write answers with the page, in the reader's language.
func (n Notice) Write(w http.ResponseWriter, r *http.Request) {
	say := Language(r)
	type way struct{ To, Text string }
	view := struct {
		Lang, Title, Text, Detail string
		Style                     template.CSS
		Ways                      []way
		Opens                     bool
	}{
		Lang: say.Language(), Title: say.Text(n.Key), Text: say.Text(n.Key + ".more"), Opens: n.Opens,
		Style: template.CSS(noticeCSS), //nolint:gosec // built in
	}
	if n.Detail != "" {
		view.Detail = bidi.Isolate(n.Detail)
	}
	for _, one := range n.Ways {
		to := one.To
		if strings.HasPrefix(to, "/") {
			to = At(r, to)
		}
		view.Ways = append(view.Ways, way{to, say.Text(one.Key)})
	}
	var page bytes.Buffer
	if err := noticePage.Execute(&page, view); err != nil {
		http.Error(w, view.Title, n.Status)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", noticePolicy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	head.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(n.Status)
	_, _ = w.Write(page.Bytes())
}

// Language is what a reader is spoken to in: the one chosen in the lock manager,
// or the best of what the browser asks for.
func Language(r *http.Request) *words.Printer { return LanguageBy(r, LanguageCookie) }

// LanguageBy is the same by the choice that another cookie keeps.
func LanguageBy(r *http.Request, cookie string) *words.Printer {
	if c, err := r.Cookie(cookie); err == nil {
		if chosen, err := language.Parse(c.Value); err == nil {
			return words.For(chosen)
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return words.English
	}
	return words.For(wanted...)
}

// Reader reports whether a person is to read the answer: a browser that opens a
// page asks for HTML, and a program does not. Paths of the API are for programs.
func Reader(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		return false
	}
	page, data := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(r.Header["Accept"], ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(params["q"], 64)
		if err != nil {
			q = 1
		}
		switch kind {
		case "text/html", "application/xhtml+xml":
			page = max(page, q)
		case "application/json", wire.ProblemType:
			data = max(data, q)
		}
	}
	return page > 0 && page >= data
}

// noticeOf is the notice for a problem.
var noticeOf = map[wire.Code]string{
	wire.NotFound:         "page.missing",
	wire.MethodNotAllowed: "page.method",
	wire.Unauthenticated:  "page.unknown",
	wire.Forbidden:        "page.forbidden",
	wire.Limited:          "page.limited",
}

// Refuse answers with a problem: readers see a page, programs a problem document.
func Refuse(w http.ResponseWriter, r *http.Request, p *wire.Problem, ways ...Way) {
	key, ok := noticeOf[p.Code]
	if !ok {
		key = "page.failed"
	}
	n := Notice{Status: p.Status, Key: key, Ways: ways}
	if p.Code == wire.Forbidden {
		n.Detail = p.Detail
	}
	refuse(w, r, p, n)
}

func refuse(w http.ResponseWriter, r *http.Request, p *wire.Problem, n Notice) {
	w.Header().Add("Vary", "Accept")
	if Reader(r) {
		n.Write(w, r)
		return
	}
	problem(w, p)
}
