package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
	"github.com/editlock/editlock/server/access"
	"github.com/editlock/editlock/server/auth"
)

// call is one request under way.
type call struct {
	*Handler
	ctx    context.Context
	r      *http.Request
	caller *auth.Caller // nil: the owner stated

	status int              // of the answer
	waiter *patience.Caller // of a capture with a wait
}

func newCall(h *Handler, r *http.Request) *call {
	c := &call{Handler: h, ctx: r.Context(), r: r, status: http.StatusOK}
	if h.opts.Access != nil {
		c.caller = auth.CallerFrom(c.ctx)
	}
	return c
}

// post makes a handler of what a verb does with its body. beacons says
// whether it takes text/plain too, which is what navigator.sendBeacon sends.
func post[In any](beacons bool, do func(c *call, in *In) (answer any, err error)) func(*Handler, http.ResponseWriter, *http.Request) error {
	return func(h *Handler, w http.ResponseWriter, r *http.Request) error {
		if err := checkType(r, beacons); err != nil {
			return err
		}
		if r.URL.RawQuery != "" {
			return invalid("query", "query_with_body", "must be empty: this call takes a body")
		}
		in := new(In)
		if err := h.read(w, r, in); err != nil {
			return err
		}
		c := newCall(h, r)
		answer, err := do(c, in)
		switch {
		case c.waiter != nil:
			return c.answerWaiter(w, answer, err)
		case err != nil:
			return err
		}
		return write(w, c.status, jsonType, answer)
	}
}

// answerWaiter answers a capture with a wait, and finds out whether the
// connection takes the answer.
func (c *call) answerWaiter(w http.ResponseWriter, answer any, err error) error {
	if err == nil {
		err = write(w, c.status, jsonType, answer)
	}
	if err != nil {
		c.waiter.Answered(false)
		return err
	}
	err = http.NewResponseController(w).Flush()
	c.waiter.Answered(c.ctx.Err() == nil && (err == nil || errors.Is(err, http.ErrNotSupported)))
	return nil
}

func checkType(r *http.Request, beacons bool) error {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return wire.NewProblem(wire.UnsupportedMediaType, fmt.Sprintf("Content-Encoding %.40q is not supported; send the body as it is", enc))
	}
	header := r.Header.Get("Content-Type")
	if header == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	if err == nil && (media == "application/json" || beacons && media == "text/plain") && (charset == "" || charset == "utf-8") {
		return nil
	}
	return wire.NewProblem(wire.UnsupportedMediaType, fmt.Sprintf("Content-Type must be application/json in UTF-8, not %.80q", header))
}

// buffers are for bodies, of requests and answers alike.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 2<<10)) }}

// keepBuffer is the largest buffer that is kept among buffers.
const keepBuffer = 64 << 10

// largeBuffers are for bodies that have shown to be larger. Without them each
// of those would leave several times its size as garbage, and the pauses that
// collecting it takes are everybody's.
var largeBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, defaultMaxBody+1)) }}

func putBuffer(buf *[]byte) {
	switch {
	case cap(*buf) <= keepBuffer:
		buffers.Put(buf)
	case cap(*buf) == defaultMaxBody+1:
		largeBuffers.Put(buf)
	}
}

// read reads a body of limited size, in limited time, into a struct.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength > h.opts.MaxBody {
		return h.tooLarge(w)
	}
	// net/http lifts the deadline by itself once the body has been read. Not
	// all writers have one (those of tests); real connections do.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.opts.BodyTimeout))
	buf := buffers.Get().(*[]byte)
	*buf = (*buf)[:0]
	defer func() { putBuffer(buf) }()
	var err error
	buf, err = readAll(buf, r.Body, h.opts.MaxBody)
	if err != nil {
		w.Header().Set("Connection", "close")
	}
	switch {
	case errors.Is(err, errTooLarge):
		return h.tooLarge(w)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return invalid("body", "arrived_late", "did not arrive within %v", h.opts.BodyTimeout)
	case err != nil:
		return invalid("body", "cut_short", "ended before it was complete")
	}
	if err := checkLists(*buf); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(*buf, into); err != nil {
		return wire.Malformed(err)
	}
	return nil
}

var errTooLarge = errors.New("body too large")

// readAll appends what r gives to buf, up to max bytes. Where it returns
// another buffer, it has put the first one back.
func readAll(buf *[]byte, r io.Reader, max int64) (*[]byte, error) {
	for {
		if len(*buf) == cap(*buf) {
			buf = larger(buf)
		}
		n, err := r.Read((*buf)[len(*buf):cap(*buf)])
		*buf = (*buf)[:len(*buf)+n]
		switch {
		case int64(len(*buf)) > max:
			return buf, errTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// larger returns a buffer with the same bytes and room for more.
func larger(buf *[]byte) *[]byte {
	size := 2 * cap(*buf)
	switch {
	case size <= keepBuffer:
		*buf = append(make([]byte, 0, size), *buf...)
		return buf
	case size <= defaultMaxBody:
		large := largeBuffers.Get().(*[]byte)
		*large = append((*large)[:0], *buf...)
		putBuffer(buf)
		return large
	default: // a server that takes more than others
		*buf = append(make([]byte, 0, size), *buf...)
		return buf
	}
}

func (h *Handler) tooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	p := wire.NewProblem(wire.TooLarge, fmt.Sprintf("body is larger than the %d bytes that this server takes", h.opts.MaxBody))
	p.Field = "body"
	return p
}

var (
	jsonType    = []string{"application/json"}
	problemType = []string{wire.ProblemType}
	noStore     = []string{"no-store"}
	noSniff     = []string{"nosniff"}
	// loadsNothing is the policy of answers that are no pages.
	loadsNothing = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// write answers with the JSON of a struct.
func write(w http.ResponseWriter, status int, contentType []string, answer any) error {
	buf := buffers.Get().(*[]byte)
	defer putBuffer(buf)
	data, err := strictjson.Append((*buf)[:0], answer)
	if err != nil {
		return err
	}
	*buf = data
	header := w.Header()
	header["Content-Type"], header["Cache-Control"] = contentType, noStore
	header["Content-Length"] = []string{strconv.Itoa(len(data))}
	w.WriteHeader(status)
	_, _ = w.Write(data) // who does not listen any more needs no answer
	return nil
}

// refuse answers with the problem that tells of an error.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there to read it
	}
	p := h.Refusal(w, r, err)
	if err := write(w, p.Status, problemType, p); err != nil {
		// A message that is not UTF-8 can't be sent.
		_ = write(w, p.Status, problemType, wire.NewProblem(p.Code, ""))
	}
}

// count counts refusals that the guard does not see itself.
func (h *Handler) count(p *wire.Problem) {
	switch {
	case h.opts.Access == nil:
	case p.Code == wire.TooLarge:
		h.opts.Access.Counters.AddTooLarge()
	case p.Code == wire.Invalid:
		h.opts.Access.Counters.AddInvalid()
	}
}

// problem is what an outsider may know of an error; the log hears the rest.
func (h *Handler) problem(r *http.Request, err error) *wire.Problem {
	p := wire.FromError(err)
	var (
		forbidden *auth.ForbiddenError
		said      *wire.Problem
	)
	switch {
	case errors.As(err, &said):
	case errors.As(err, &forbidden):
		p.Field = forbidden.Field
	case errors.Is(err, errDraining):
	case p.Code == wire.Unavailable:
		// What an engine says may name hosts and files.
		h.opts.Logger.Error("the store is unavailable", "path", r.URL.Path, "request_id", access.RequestIDFrom(r.Context()), "err", err)
		p = wire.NewProblem(wire.Unavailable, "the lock store is unavailable; the server's log says why")
	case p.Code == wire.Internal:
		h.opts.Logger.Error("a call failed", "path", r.URL.Path, "request_id", access.RequestIDFrom(r.Context()), "err", err)
	}
	return p
}

// short is the beginning of a text that a caller gave.
func short(text string) string { return fmt.Sprintf("%.40s", text) }

func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &editlock.InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}
