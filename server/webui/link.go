package webui

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/editlock/editlock"
)

// Link leads from a lock to the record that it is for, in the application that
// has it. Of several that fit, the first counts.
type Link struct {
	// Group and Mode are of the locks that have it: names, or beginnings with a *.
	// Left out they are the empty name, as in an [editlock.Area].
	Group string `toml:"group"`
	Mode  string `toml:"mode"`
	// URL is where it leads. {group}, {mode}, {id} and {part} in its path, query or
	// fragment stand for the lock's, percent-encoded; of a lock of the whole record
	// the part is empty. What stands for all of a group or mode has no record. It begins with http:// or https://, or
	// with / for a page of the server itself.
	URL string `toml:"url"`
}

var blank = regexp.MustCompile(`\{[^{}]*\}?|\}`)

// Validate reports what is wrong with the URL. A lock's name, which anybody may
// have chosen, must not decide where it leads to.
func (l Link) Validate() error {
	for _, found := range blank.FindAllString(l.URL, -1) {
		if found != "{group}" && found != "{mode}" && found != "{id}" && found != "{part}" {
			return fmt.Errorf("url: %.60q is not known; known are {group}, {mode}, {id} and {part}", found)
		}
	}
	u, err := url.Parse(blank.ReplaceAllString(l.URL, "x"))
	if err != nil {
		return fmt.Errorf("url: %.200q is not an address", l.URL)
	}
	if local := u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/"); !local {
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return errors.New("url: must begin with http:// or https:// and a host, without a user")
		}
	}
	_, rest, _ := strings.Cut(l.URL, "://")
	if head, _, _ := strings.Cut(rest, "/"); strings.ContainsAny(head, "{?#\\") && u.Host != "" {
		return errors.New("url: {group}, {mode}, {id} and {part} may stand behind the host and a / only")
	}
	if !strings.Contains(l.URL, "{id}") {
		return errors.New("url: must contain {id}, or all locks would lead to one record")
	}
	return nil
}

func (l Link) fits(id editlock.ID) bool {
	return editlock.Area{Group: l.Group, Mode: l.Mode}.Contains(id, editlock.Owner{})
}

// of is where the link leads for a lock; empty if that can't be written: browsers
// take a part of a path that is . or .. for a way to another folder, encoded or not.
func (l Link) of(id editlock.ID) string {
	parts := map[string]string{"{group}": id.Group, "{mode}": id.Mode, "{id}": id.ID, "{part}": id.Part}
	to := blank.ReplaceAllStringFunc(l.URL, func(found string) string { return encoded(parts[found]) })
	path, _, _ := strings.Cut(to, "?")
	path, _, _ = strings.Cut(path, "#")
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return ""
		}
	}
	return to
}

// encoded is a text that stands for itself wherever it is in an address.
func encoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// links are those of a manager, in their order.
type links []Link

// Of is where a lock leads to; empty: nowhere.
func (all links) Of(id editlock.ID) string {
	if id.Below {
		return ""
	}
	for _, l := range all {
		if l.fits(id) {
			return l.of(id)
		}
	}
	return ""
}
