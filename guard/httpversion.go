package guard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/editlock/editlock/internal/wire"
)

// VersionField is the field in which a form carries the version that it was
// made of; other requests have it in the header If-Match.
const VersionField = "editlock_version"

// SaveHeader and SaveField carry the number of a save among those of its page, for
// Record.Save.
const (
	SaveHeader = "Editlock-Save"
	SaveField  = "editlock_save"
)

// SaveNumber is the number that a request gives its save; 0 if it gives none. The
// error is a problem for Refuse.
func SaveNumber(r *http.Request) (int64, error) {
	field, text := SaveHeader, r.Header.Get(SaveHeader)
	if text == "" {
		field, text = SaveField, r.PostFormValue(SaveField)
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, invalid(field, "not_a_save_number", "must be the number of the save, a whole number above 0")
	}
	return int64(n), nil
}

// Changed is the code of the problem with which a save is refused as the record
// changed.
const Changed = "changed"

// ETag is a version as a header carries it: in quotes, what does not go into
// an entity tag as %XX.
func ETag(version string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(version) {
		if c := version[i]; c > ' ' && c < 0x7f && c != '"' && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)+0x100, 16)[1:]))
		}
	}
	b.WriteByte('"')
	return b.String()
}

// SetVersion puts the version that a record has now into the header ETag of an
// answer, for the page that goes on with it.
func SetVersion(h http.Header, version string) { h.Set("ETag", ETag(version)) }

// SeenVersion is the version that a request says its editor saw: in If-Match, or else
// in the form field VersionField. The error is a problem for Refuse, 428 if there
// is none.
//
// A weak tag is read, too: proxies that compress an answer make strong ones weak, and
// what is compared is the record and not the answer. A list of tags, and *, name no
// version that somebody saw.
func SeenVersion(r *http.Request) (string, error) {
	tags := r.Header.Values("If-Match")
	if len(tags) == 0 {
		version := r.PostFormValue(VersionField)
		if version == "" {
			p := wire.NewProblem(wire.Invalid, "the header If-Match is missing: send the version of the record that you saw")
			p.Status, p.Field = http.StatusPreconditionRequired, "If-Match"
			return "", p
		}
		return version, validVersion(VersionField, version)
	}
	tag := strings.TrimPrefix(strings.Trim(tags[0], " \t"), "W/")
	inner, quoted := strings.CutPrefix(tag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !quoted || !closed || len(tags) > 1 || strings.Contains(inner, `"`) {
		p := wire.NewProblem(wire.Invalid, "If-Match must be one entity tag in quotes: the version of the record that you saw")
		p.Field = "If-Match"
		return "", p
	}
	version := unescaped(inner)
	return version, validVersion("If-Match", version)
}

// unescaped reads %XX as the byte; what is not such a sequence is itself.
func unescaped(tag string) string {
	b := make([]byte, 0, len(tag))
	for i := 0; i < len(tag); i++ {
		if tag[i] == '%' && i+2 < len(tag) {
			if n, err := strconv.ParseUint(tag[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, tag[i])
	}
	return string(b)
}

// MatchVersion lets requests through that say they saw the version that current
// reads for them, which has the empty text for a record that is gone. To others
// it answers as Refuse does: 428 without a version, 412 if the record changed.
//
// Between this check and the write the record may still change: it is for records
// that are kept elsewhere than in a database that has a CheckRecord. Let those compare,
// too, by what they have for that: a conditional write with Seen.
func MatchVersion(current func(*http.Request) (string, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen, err := SeenVersion(r)
			if err != nil {
				Refuse(w, err)
				return
			}
			now, err := current(r)
			if err == nil && now != seen {
				err = &ChangedError{Seen: seen, Current: now, Gone: now == ""}
			}
			if err != nil {
				Refuse(w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), seenKey{}, seen)))
		})
	}
}

type seenKey struct{}

// Seen is the version that MatchVersion has compared; false outside of it.
func Seen(ctx context.Context) (version string, ok bool) {
	version, ok = ctx.Value(seenKey{}).(string)
	return version, ok
}

// changed is the form of a ChangedError.
type changed struct {
	*wire.Problem

	Seen    string  `json:"seen"`
	Current *string `json:"current"` // null: the record is gone
}

// Refuse answers with application/problem+json that tells of an error of this
// package: 412 and the code "changed", with both versions, of ErrChanged, 409 and the
// code "lost" of ErrLost. Of what is none of editlock's errors it tells nothing but 500.
func Refuse(w http.ResponseWriter, err error) {
	var (
		change *ChangedError
		form   any
	)
	p := wire.FromError(err)
	if form = p; errors.As(err, &change) {
		p = wire.NewProblem(Changed, change.Error())
		p.Title, p.Status = "The record changed", http.StatusPreconditionFailed
		c := changed{Problem: p, Seen: change.Seen}
		if id := wire.FromID(change.ID); id != (wire.ID{}) {
			p.Mutex = &id
		}
		if !change.Gone {
			c.Current = &change.Current
		}
		form = c
	}
	w.Header().Set("Content-Type", wire.ProblemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(form) // the client is gone if it fails
}
