package webui

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

const (
	// maxExports bounds the exports of a process that go on at a time, one for each
	// reader.
	maxExports = 4
	// exportWithin is how long a reader may take to accept a piece.
	exportWithin = 30 * time.Second
	// rateRest is how long an export rests that meets its reader's rate.
	rateRest = time.Second
)

// exports are those under way.
type exports struct {
	mu      sync.Mutex
	readers map[string]bool
}

func (e *exports) enter(reader string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.readers) >= maxExports || e.readers[reader] {
		return false
	}
	if e.readers == nil {
		e.readers = map[string]bool{}
	}
	e.readers[reader] = true
	return true
}

func (e *exports) exit(reader string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.readers, reader)
}

// format writes entries to a file.
type format interface {
	// begin writes what comes before all entries.
	begin() error
	// write writes a piece.
	write(all []editlock.Event) error
	// end writes what comes behind them.
	end() error
}

// export sends all that a filter leaves of the history, in pieces, as the API would
// answer them: by the same rights, each counted as a request. It rests as long as
// each piece took, so that it takes no more than half of one processor, and ends when
// its reader leaves. A file that can't be finished is cut off, which browsers tell.
func (h *handler) export(suffix, contentType string, of func(io.Writer, words) format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		me := h.identify(r)
		if !h.exports.enter(me.reader()) {
			h.refuse(w, r, editlock.ErrLimited)
			return
		}
		defer h.exports.exit(me.reader())
		ctx, stop := h.while(r.Context())
		defer stop()
		r = r.WithContext(ctx)
		q, keep, err := readHistoryFilter(r.URL.Query()).query()
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		q.Limit = editlock.MaxPage
		begun := time.Now()
		got, err := h.picked(ctx, q, keep)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		head := w.Header()
		head.Set("Content-Type", contentType)
		head.Set("Content-Disposition", `attachment; filename="editlock-history-`+h.scans.now().Format("20060102T150405Z")+suffix+`"`)
		head.Set("Cache-Control", "no-store")
		out, conn := of(w, h.pages[languageOf(r)].words), http.NewResponseController(w)
		for first := true; ; first = false {
			_ = conn.SetWriteDeadline(time.Now().Add(exportWithin)) // not every connection has one
			if first {
				err = out.begin()
			}
			if err == nil {
				err = out.write(got.Entries)
			}
			if err == nil && got.Next == "" {
				err = out.end()
			}
			if err == nil {
				err = conn.Flush()
			}
			if err != nil && !errors.Is(err, http.ErrNotSupported) {
				panic(http.ErrAbortHandler)
			}
			if got.Next == "" {
				return
			}
			if !h.restForExport(r, time.Since(begun)) {
				panic(http.ErrAbortHandler)
			}
			begun, q.Cursor = time.Now(), got.Next
			if got, err = h.picked(ctx, q, keep); err != nil {
				h.log.Warn("exporting the history", "error", err)
				panic(http.ErrAbortHandler)
			}
		}
	}
}

// restForExport waits until the next piece may be read; false: its reader has left.
func (h *handler) restForExport(r *http.Request, took time.Duration) bool {
	for rest := min(took, longestRest); ; rest = rateRest {
		select {
		case <-time.After(rest):
		case <-r.Context().Done():
			return false
		}
		if h.items == nil || h.items(r, 2) == nil { // the first was counted when the request came
			return true
		}
	}
}

// csvFile is for spreadsheets: UTF-8 with a byte order mark, and the separator that
// they expect in the reader's language.
type csvFile struct {
	to io.Writer
	*csv.Writer
}

func newCSV(w io.Writer, in words) format {
	f := &csvFile{w, csv.NewWriter(w)}
	f.Comma, f.UseCRLF = rune(in["export.separator"][0]), true
	return f
}

func (f *csvFile) begin() error {
	if _, err := io.WriteString(f.to, "\ufeff"); err != nil {
		return err
	}
	head := []string{"seq", "at_utc", "kind", "group", "mode", "id", "part", "below"}
	for _, who := range []string{"owner", "actor", "other"} {
		for _, field := range []string{"name", "user_id", "login", "host", "session", "kind", "on_behalf_of"} {
			head = append(head, who+"_"+field)
		}
	}
	return f.Write(append(head, "token", "reason"))
}

func (f *csvFile) write(all []editlock.Event) error {
	for _, e := range all {
		line := []string{
			strconv.FormatUint(e.Seq, 10), e.At.UTC().Format("2006-01-02 15:04:05.000"), string(e.Kind), e.ID.Group, e.ID.Mode, e.ID.ID, e.ID.Part, yes(e.ID.Below),
		}
		for _, o := range []editlock.Owner{e.Owner, e.Actor, e.Other} {
			kind := ""
			if o != (editlock.Owner{}) {
				kind = o.Kind.String()
			}
			line = append(line, o.Name, o.UserID, o.Login, o.Host, o.Session, kind, o.OnBehalfOf)
		}
		line = append(line, strconv.FormatUint(uint64(e.Token), 10), e.Reason)
		for i := range line {
			line[i] = cell(line[i])
		}
		if err := f.Write(line); err != nil {
			return err
		}
	}
	f.Flush()
	return f.Error()
}

// yes is true as a cell; what is not is empty.
func yes(is bool) string {
	if is {
		return "true"
	}
	return ""
}

func (f *csvFile) end() error { return nil }

// cell is a text that a spreadsheet takes for a text: what begins like a formula gets
// an apostrophe before it.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

// jsonFile is as one answer of the API with all entries.
type jsonFile struct {
	to      io.Writer
	written bool
}

func newJSON(w io.Writer, _ words) format { return &jsonFile{to: w} }

func (f *jsonFile) begin() error {
	_, err := io.WriteString(f.to, `{"entries":[`)
	return err
}

func (f *jsonFile) write(all []editlock.Event) (err error) {
	var piece []byte
	for _, e := range all {
		if f.written {
			piece = append(piece, ',')
		}
		form := wire.FromEntry(e)
		if piece, err = strictjson.Append(append(piece, '\n'), &form); err != nil {
			return err
		}
		f.written = true
	}
	_, err = f.to.Write(piece)
	return err
}

func (f *jsonFile) end() error {
	_, err := io.WriteString(f.to, "\n],\"next_cursor\":null}\n")
	return err
}
