package mcp

import (
	"encoding/base64"
	"encoding/json"

	"github.com/editlock/editlock"
)

// hold is what a capture gives its agent, to refresh and release it by: the lock,
// the token, and the session that the hold has if it has one of its own. Nobody else
// is told that session. It proves nothing beside a credential: the server asks for
// both.
type hold struct {
	ID      editlock.ID
	Token   editlock.Token
	Session string // empty: the caller's own
}

// handle is the hold as a text.
func (h hold) handle() string {
	data, _ := json.Marshal([]any{h.ID.Group, h.ID.Mode, h.ID.ID, h.ID.Part, uint64(h.Token), h.Session}) // texts and a number: can't fail
	return base64.RawURLEncoding.EncodeToString(data)
}

// parseHold is the inverse of handle.
func parseHold(handle string) (hold, error) {
	var h hold
	var token uint64
	parts := []any{&h.ID.Group, &h.ID.Mode, &h.ID.ID, &h.ID.Part, &token, &h.Session}
	want := len(parts)
	data, err := base64.RawURLEncoding.DecodeString(handle)
	if err == nil {
		err = json.Unmarshal(data, &parts)
	}
	h.Token = editlock.Token(token)
	if err != nil || len(parts) != want || h.handle() != handle || h.ID.Validate() != nil || token == 0 {
		return hold{}, &editlock.InvalidError{Field: "hold", Problem: "is not one that capture or ask_holder returned"}
	}
	return h, nil
}
