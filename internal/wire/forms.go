// Package wire holds the JSON forms that server and client exchange, the one
// table of codes, statuses and errors, and what converts them to the library's
// types and back. The tags are also what the OpenAPI document says of them.
package wire

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/fault"
)

// ID is the form of an editlock.ID.
type ID struct {
	Group string `json:"group" required:"false" maxLength:"200" doc:"Part of the system. Absent and empty are the same. At most 200 bytes, no control characters."`
	Mode  string `json:"mode" required:"false" maxLength:"200" doc:"Type of the object. Absent and empty are the same. At most 200 bytes, no control characters."`
	ID    string `json:"id,omitzero" maxLength:"500" doc:"The object. Absent with below, else required. At most 500 bytes, no control characters."`
	Part  string `json:"part,omitzero" maxLength:"200" doc:"A part of the object, such as a section of a form. Absent: the whole of it. At most 200 bytes, no control characters."`
	Below bool   `json:"below,omitzero" doc:"All objects of the group and mode, or without a mode of the group, instead of one object. What is held below it by others is in the way, and nothing below is given out while somebody waits for it."`
}

// Owner is the form of an editlock.Owner.
type Owner struct {
	Session string `json:"session" minLength:"1" maxLength:"200" doc:"The identity, with kind: owners with the same session and kind are the same holder. With authentication it counts for the issuer or API key that states it only. At most 200 bytes, as all fields here."`
	UserID  string `json:"user_id" required:"false" maxLength:"200" doc:"The same user_id in another session is the same person, if kind is the same."`
	Login   string `json:"login" required:"false" maxLength:"200"`
	Name    string `json:"name" required:"false" maxLength:"200" doc:"For people to read."`
	Host    string `json:"host" required:"false" maxLength:"200"`

	Kind       string `json:"kind,omitzero" enum:"person,agent,job" doc:"Absent: person, unless the credentials say otherwise; answers leave out person. An agent is a program that decides by itself what it edits. It never takes over from a person, holds for 30m at most, and for 5m at most without a refresh. A job does what it was written for, such as an import."`
	OnBehalfOf string `json:"on_behalf_of,omitzero" maxLength:"200" doc:"Whom an agent or a job acts for, for people to read."`
}

// AutoRelease is the form of an editlock.AutoRelease.
type AutoRelease struct {
	Idle    *Idle     `json:"idle,omitzero" doc:"Freed so long after the last refresh: 1s to 720h (30 days), or never, which answers give as never: true. Default 300s."`
	MaxHold *Duration `json:"max_hold,omitzero" doc:"Freed so long after the capture, refreshed or not: 1s to 720h (30 days). Default: unlimited."`
	Never   bool      `json:"never,omitzero" doc:"Held until released, as idle: never says, too. Goes alone."`
}

// Condition is the form of an editlock.Condition.
type Condition struct {
	Free       *bool   `json:"free,omitzero" enum:"true" doc:"Only if nobody holds it, not even the caller."`
	StatusData *string `json:"status_data,omitzero" doc:"Only if it is the caller's, with exactly this status data."`
	Token      *uint64 `json:"token,omitzero" minimum:"1" maximum:"9007199254740991" doc:"Only if it is the caller's, with this token."`
	Request    *string `json:"request,omitzero" minLength:"1" maxLength:"200" doc:"Of a release only: what the capture with this Idempotency-Key took or was granted; and its wait ends, if it still goes on."`
}

// Mutex is the form of an editlock.Mutex.
type Mutex struct {
	Mutex       ID          `json:"mutex"`
	Owner       Owner       `json:"owner"`
	StatusData  string      `json:"status_data"`
	AutoRelease AutoRelease `json:"auto_release"`
	Token       uint64      `json:"token" minimum:"1" maximum:"9007199254740991" doc:"Fencing token: each change of holder gets a larger one."`
	CapturedAt  time.Time   `json:"captured_at"`
	RefreshedAt time.Time   `json:"refreshed_at"`
	ExpiresAt   *time.Time  `json:"expires_at" doc:"Null: never."`
	ExpiresIn   *float64    `json:"expires_in_s" doc:"Seconds from as_of to expires_at: right on every machine, whatever its clock. Null: never."`
	AsOf        time.Time   `json:"as_of" doc:"The store's clock when it looked."`
	GrantAfter  *Duration   `json:"grant_after" doc:"Who asks with a message gets the mutex if the holder does not answer so long. Null: not by itself."`
	Sharing     string      `json:"sharing,omitzero" enum:"exclusive,shared" doc:"Who may hold it too: nobody, or all who share it. Absent with a limit."`
	Limit       int         `json:"limit,omitzero" doc:"At most so many hold it at once. Absent: there is no limit but sharing."`
	Beside      int         `json:"beside,omitzero" doc:"How many others hold it, too. Absent in lists, where each is a mutex of its own."`
	Waiting     int         `json:"waiting" doc:"How many wait."`
	Waiters     []Waiter    `json:"waiters" nullable:"false" doc:"The first 20 of them, in their order."`
	Draining    *Draining   `json:"draining,omitzero" doc:"Who waits for something above it, for which nothing below is given out any more. Told by refresh, request, and a capture of what the caller holds; absent in lists."`
}

// Draining is the form of an editlock.Draining.
type Draining struct {
	Mutex   ID        `json:"mutex" doc:"What is waited for."`
	By      *Owner    `json:"by" doc:"Who was first to."`
	Since   time.Time `json:"since"`
	Message string    `json:"message,omitzero"`
}

// Waiter is the form of an editlock.Waiter.
type Waiter struct {
	ID      string     `json:"id" doc:"Names this wait, for decline."`
	Owner   Owner      `json:"owner"`
	Since   time.Time  `json:"since"`
	Message string     `json:"message" doc:"What the waiter asks of the holder. Empty: nothing."`
	GrantAt *time.Time `json:"grant_at" doc:"When the mutex passes to the waiter unless answered. Null: not by itself."`
}

// Entry is the form of an editlock.Event.
type Entry struct {
	Seq    uint64     `json:"seq" doc:"Rises; also the id of the event."`
	Kind   string     `json:"kind" doc:"captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared (an exclusive hold lets others share) or upgraded (a shared one is exclusive now); in an event stream also gap: entries up to seq are gone."`
	Mutex  *ID        `json:"mutex" doc:"Null in a gap."`
	Owner  *Owner     `json:"owner" doc:"Who holds it, or held it until this."`
	Actor  *Owner     `json:"actor" doc:"Who did it."`
	Other  *Owner     `json:"other" doc:"Who lost it to a takeover, got it, or was declined."`
	Token  uint64     `json:"token"`
	At     *time.Time `json:"at" doc:"Null in a gap."`
	Reason string     `json:"reason"`

	Sharing  string `json:"sharing,omitzero" enum:"exclusive,shared" doc:"Of the hold. Absent with a limit, and in a gap."`
	Limit    int    `json:"limit,omitzero" doc:"Of the hold."`
	Replaced uint64 `json:"replaced,omitzero" doc:"Of taken_over: the token of the hold whose place this one took, where others may hold the mutex beside it."`
}

// Duration is a duration, read in Go's notation, such as "300s" or "8h", and
// written in seconds.
type Duration time.Duration

// AppendText implements encoding.TextAppender: "300s", "28800s", "0.25s".
func (d Duration) AppendText(b []byte) ([]byte, error) {
	whole, rest := time.Duration(d)/time.Second, time.Duration(d)%time.Second
	if rest == 0 {
		return append(strconv.AppendInt(b, int64(whole), 10), 's'), nil
	}
	if d < 0 {
		b, whole, rest = append(b, '-'), -whole, -rest
	}
	b = strconv.AppendInt(b, int64(whole), 10)
	b = fmt.Appendf(b, ".%09d", rest)
	return append(bytes.TrimRight(b, "0"), 's'), nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		if len(text) > 40 {
			text = append(text[:40:40], "…"...)
		}
		return fmt.Errorf("must be a duration such as \"300s\", \"5m\" or \"8h\", not %q", text)
	}
	*d = Duration(parsed)
	return nil
}

// Idle is a Duration, or never.
type Idle time.Duration

const idleNever = Idle(math.MinInt64) // no duration that anybody writes

// AppendText implements encoding.TextAppender.
func (i Idle) AppendText(b []byte) ([]byte, error) {
	if i == idleNever {
		return append(b, "never"...), nil
	}
	return Duration(i).AppendText(b)
}

// MarshalText implements encoding.TextMarshaler.
func (i Idle) MarshalText() ([]byte, error) { return i.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *Idle) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*i = idleNever
		return nil
	}
	err := (*Duration)(i).UnmarshalText(text)
	if *i == idleNever {
		*i++ // as far beyond what is allowed
	}
	return err
}

func durationOf(d time.Duration) *Duration {
	if d == 0 {
		return nil
	}
	return (*Duration)(&d)
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func invalid(field, code, format string, args ...any) error {
	problem, texts := fault.Problem(format, args...)
	return &editlock.InvalidError{Field: field, Problem: problem, Code: code, Args: texts}
}
