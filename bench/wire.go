package main

import (
	"encoding/json"

	"github.com/editlock/editlock"
)

// The JSON forms that the measured calls use, as far as they use them.

type idForm struct {
	Group string `json:"group"`
	Mode  string `json:"mode"`
	ID    string `json:"id"`
	Part  string `json:"part,omitempty"`
	Below bool   `json:"below,omitempty"`
}

type ownerForm struct {
	Session string `json:"session"`
	UserID  string `json:"user_id"`
	Login   string `json:"login"`
	Name    string `json:"name"`
	Host    string `json:"host"`
}

type captureForm struct {
	Mutex idForm    `json:"mutex"`
	Owner ownerForm `json:"owner"`
	Wait  string    `json:"wait,omitempty"`
}

type autoReleaseForm struct {
	Idle string `json:"idle"`
}

type capturedForm struct {
	State string   `json:"state"`
	Mutex heldForm `json:"mutex"`
}

type heldForm struct {
	Mutex       idForm          `json:"mutex"`
	Owner       ownerForm       `json:"owner"`
	StatusData  string          `json:"status_data"`
	AutoRelease autoReleaseForm `json:"auto_release"`
	Token       uint64          `json:"token"`
	CapturedAt  string          `json:"captured_at"`
	RefreshedAt string          `json:"refreshed_at"`
	ExpiresAt   string          `json:"expires_at"`
	ExpiresInS  float64         `json:"expires_in_s"`
	AsOf        string          `json:"as_of"`
	GrantAfter  *string         `json:"grant_after"`
	Waiting     int             `json:"waiting"`
	Waiters     []ownerForm     `json:"waiters"`
}

type releasedForm struct {
	Released bool `json:"released"`
}

type refreshForm struct {
	Items []refreshItemForm `json:"items"`
}

type refreshItemForm struct {
	Mutex idForm `json:"mutex"`
	Token uint64 `json:"token"`
}

// captureBody is the JSON of a capture, a request or a release.
func captureBody(id editlock.ID, o editlock.Owner, wait string) []byte {
	form := captureForm{Mutex: idForm(id), Owner: ownerForm{o.Session, o.UserID, o.Login, o.Name, o.Host}, Wait: wait}
	body, _ := json.Marshal(form) // strings: can't fail
	return body
}
