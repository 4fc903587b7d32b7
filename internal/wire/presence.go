package wire

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Looks is what a page shows.
type Looks struct {
	Page  string `json:"page" minLength:"1" maxLength:"100" doc:"Names the page among those of its session: a random text that a reload may keep."`
	Looks []Look `json:"looks" nullable:"false" maxItems:"1000" doc:"All records that the page shows, each once: its presence at others ends. Empty when it closes."`
}

// Look is a record that a page shows.
type Look struct {
	Mutex  *ID    `json:"mutex,omitzero" required:"true"`
	State  string `json:"state,omitzero" enum:"unsaved,editing,looking,idle" doc:"What the page says of itself: it has edits that are not saved; it holds the lock; it looks; nobody has moved there for some minutes. Absent: looking."`
	Hidden bool   `json:"hidden,omitzero" doc:"The page is not seen. Its unsaved edits are shown for 90s after a beat then: browsers let hidden pages beat once a minute only."`
}

// PresenceRequest is the body of POST /v1/presence.
type PresenceRequest struct {
	Owner *Owner `json:"owner,omitzero" doc:"Who looks. Credentials that say it need no word; without them it is required."`
	Page  string `json:"page" minLength:"1" maxLength:"100" doc:"Names the page among those of its session: a random text that a reload may keep."`
	Looks []Look `json:"looks" nullable:"false" maxItems:"1000" doc:"All records that the page shows, each once: its presence at others ends. Empty when it closes."`
}

// PresenceAnswer is the answer to it.
type PresenceAnswer struct {
	Results []LookResult `json:"results" nullable:"false" doc:"A result per look, in their order."`
}

// Company is who else looks at a record.
type Company struct {
	People []Person `json:"people" nullable:"false" doc:"The first 20 of them, those with unsaved edits before others. A person with several pages is there once."`
	Count  int      `json:"count" doc:"How many there are."`
}

// Person is somebody who looks.
type Person struct {
	Owner Owner     `json:"owner"`
	State string    `json:"state" enum:"unsaved,editing,looking,idle" doc:"As the page says; who holds the lock, the lock says."`
	Since time.Time `json:"since" doc:"By the server's clock."`
}

// LookResult is who else looks at a record, or why it was refused: its form is
// that of either.
type LookResult struct {
	Company *Company
	Problem *Problem
}

// MarshalJSON implements json.Marshaler.
func (r LookResult) MarshalJSON() ([]byte, error) {
	if r.Problem != nil {
		return strictjson.Append(nil, r.Problem)
	}
	return strictjson.Append(nil, r.Company)
}

// PresenceQuery is the body of POST /v1/presence-query.
type PresenceQuery struct {
	Mutexes []ID   `json:"mutexes" nullable:"false" minItems:"1" maxItems:"100" doc:"The records of a list, each once."`
	Owner   *Owner `json:"owner,omitzero" doc:"Who asks, and is not told of themselves. Absent, and not said by credentials: a stranger."`
}

// PresenceQueryAnswer is the answer to it.
type PresenceQueryAnswer struct {
	Results []RecordResult `json:"results" nullable:"false" doc:"A result per mutex, in their order."`
}

// Record is who edits a record, who reads it under a shared lock, and who else looks at it.
type Record struct {
	Holder     *Owner     `json:"holder" doc:"Who edits it: the holder of the lock. Null: nobody edits, or the holders share it and read."`
	CapturedAt *time.Time `json:"captured_at" doc:"Since when. Null: nobody edits."`
	Mine       bool       `json:"mine" doc:"The asking session is the one that edits."`
	Readers    []Reader   `json:"readers" nullable:"false" doc:"The first 20 who hold the lock shared, oldest first after the asking session: nobody can edit until they are done."`
	People     []Person   `json:"people" nullable:"false" doc:"The first 20 who look at it, as /v1/presence tells them."`
	Count      int        `json:"count" doc:"How many there are."`
}

// Reader is somebody who holds a lock shared.
type Reader struct {
	Owner      Owner     `json:"owner"`
	CapturedAt time.Time `json:"captured_at"`
	Mine       bool      `json:"mine" doc:"The asking session is this one."`
}

// RecordResult is a Record, or why it was refused: its form is that of either.
type RecordResult struct {
	Record  *Record
	Problem *Problem
}

// MarshalJSON implements json.Marshaler.
func (r RecordResult) MarshalJSON() ([]byte, error) {
	if r.Problem != nil {
		return strictjson.Append(nil, r.Problem)
	}
	return strictjson.Append(nil, r.Record)
}

var (
	_ json.Marshaler = LookResult{}
	_ json.Marshaler = RecordResult{}
)
