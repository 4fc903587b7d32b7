package wire

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire/strictjson"
)

// Code is the stable name of a kind of error.
type Code string

// The codes.
const (
	Busy                 Code = "busy"
	Lost                 Code = "lost"
	Conflict             Code = "conflict"
	HeldByPerson         Code = "held_by_person"
	NotHeld              Code = "not_held"
	Invalid              Code = "invalid"
	Unauthenticated      Code = "unauthenticated"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	TooLarge             Code = "too_large"
	UnsupportedMediaType Code = "unsupported_media_type"
	Limited              Code = "limited"
	Internal             Code = "internal"
	Unavailable          Code = "unavailable"
)

// Kind is one row of the table of codes.
type Kind struct {
	Code   Code
	Status int
	Title  string
	Err    error // what errors.Is finds in a client
}

// Kinds is the table: the one place where codes, HTTP statuses and Go errors
// meet, for the server and the client.
var Kinds = []Kind{
	{Busy, 409, "The mutex is held by another", editlock.ErrBusy},
	{Conflict, 409, "The mutex is held in another way", editlock.ErrConflict},
	{Lost, 409, "The lock is lost", editlock.ErrLost},
	{NotHeld, 409, "Nobody holds the mutex", editlock.ErrNotHeld},
	{Invalid, 400, "The request is invalid", editlock.ErrInvalid},
	{Unauthenticated, 401, "Authentication is required", editlock.ErrUnauthenticated},
	{Forbidden, 403, "This is not allowed", editlock.ErrForbidden},
	{HeldByPerson, 403, "A person holds the mutex, and an agent asks", editlock.ErrForbidden},
	{NotFound, 404, "There is nothing at this address", editlock.ErrUnavailable},
	{MethodNotAllowed, 405, "This address takes another method", editlock.ErrUnavailable},
	{TooLarge, 413, "The request is too large", editlock.ErrInvalid},
	{UnsupportedMediaType, 415, "The content type is not supported", editlock.ErrUnavailable},
	{Limited, 429, "This is over a limit", editlock.ErrLimited},
	{Internal, 500, "The server failed", editlock.ErrUnavailable},
	{Unavailable, 503, "The lock store is unavailable", editlock.ErrUnavailable},
}

// KindOf returns the row of a code; false if there is none.
func KindOf(code Code) (Kind, bool) {
	for _, k := range Kinds {
		if k.Code == code {
			return k, true
		}
	}
	return Kind{}, false
}

// ProblemType is the content type of problems.
const ProblemType = "application/problem+json"

// Problem is an error as RFC 9457 writes it. As an error it is one that the
// library has no type for.
type Problem struct {
	Type     string     `json:"type,omitzero" doc:"urn:editlock:problem: and the code."`
	Title    string     `json:"title,omitzero"`
	Status   int        `json:"status,omitzero" doc:"The HTTP status."`
	Detail   string     `json:"detail,omitzero" doc:"What is wrong, for people to read."`
	Code     Code       `json:"code" doc:"The stable name of the kind of problem."`
	Field    string     `json:"field,omitzero" doc:"Of invalid and forbidden: the argument that is wrong, such as mutex.id."`
	Mutex    *ID        `json:"mutex,omitzero" doc:"Of lost: what was lost. Of not_held: what nobody holds."`
	Holder   *Mutex     `json:"holder,omitzero" doc:"Of busy and held_by_person: who is in the way. Of lost: who has it now; absent if it is free."`
	Holders  []Mutex    `json:"holders,omitzero" nullable:"false" doc:"Of busy, where several were to be captured, or several hold the mutex: all who are in the way, of one mutex the first 20."`
	Total    int        `json:"holders_total,omitzero" doc:"Of busy, where several hold the mutex: how many are in the way."`
	Self     bool       `json:"self,omitzero" doc:"Of busy: the holder is the caller, as the same session or the same user."`
	Draining *Draining  `json:"draining,omitzero" doc:"Of busy: who waits for something above the mutex, for which nothing below is given out."`
	Declined *Answer    `json:"declined,omitzero" doc:"Of busy, after a wait: the holder's answer."`
	By       *Owner     `json:"by,omitzero" doc:"Of lost: who ended it."`
	At       *time.Time `json:"at,omitzero" doc:"Of lost: when."`
	Reason   string     `json:"reason,omitzero" doc:"Of lost: why."`
	How      string     `json:"how,omitzero" doc:"Of lost: expired, taken_over, force_released, handed_over or released."`
	Problem  *Fault     `json:"problem,omitzero" doc:"Of invalid: what is wrong with the field, for programs and translations. Of lost: a reason that the library gives. Absent where there is no code."`
}

// Fault is what is wrong with an argument, by a stable name.
type Fault struct {
	Code string   `json:"code" doc:"The stable name of what is wrong, such as too_long. docs/problems.md lists them."`
	Args []string `json:"args,omitempty" nullable:"false" doc:"What the sentence in detail names, in this order. For too_long the length and the maximum."`
}

// faultOf is nil without a code.
func faultOf(code string, args []string) *Fault {
	if code == "" {
		return nil
	}
	return &Fault{code, args}
}

func (f *Fault) root() (code string, args []string) {
	if f == nil {
		return "", nil
	}
	return f.Code, f.Args
}

// Answer is the form of an editlock.Refusal.
type Answer struct {
	By      *Owner    `json:"by"`
	At      time.Time `json:"at"`
	Message string    `json:"message"`
}

// NewProblem returns a problem of one of the Kinds.
func NewProblem(code Code, detail string) *Problem {
	k, _ := KindOf(code)
	return &Problem{
		Type: "urn:editlock:problem:" + string(code), Title: k.Title, Status: k.Status, Code: code, Detail: detail,
	}
}

func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Is makes errors.Is find the error of the problem's kind. A code that only
// another version knows is ErrUnavailable.
func (p *Problem) Is(target error) bool {
	k, ok := KindOf(p.Code)
	if !ok {
		return target == editlock.ErrUnavailable
	}
	return target == k.Err
}

// FromError returns the problem that tells of an error. What is none of the
// library's errors is Internal, without a word on what it was.
func FromError(err error) *Problem {
	var (
		busy    *editlock.BusyError
		other   *editlock.ConflictError
		person  *editlock.HeldByPersonError
		lost    *editlock.LostError
		notHeld *editlock.NotHeldError
		invalid *editlock.InvalidError
		shape   *strictjson.Error
		problem *Problem
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &busy):
		return fromBusy(busy)
	case errors.As(err, &other):
		p := NewProblem(Conflict, other.Error())
		holder := FromMutex(other.Holder)
		p.Holder = &holder
		return p
	case errors.As(err, &person):
		p := NewProblem(HeldByPerson, person.Error())
		holder := FromMutex(person.Holder)
		p.Holder = &holder
		return p
	case errors.As(err, &lost):
		return fromLost(lost)
	case errors.As(err, &notHeld):
		p := NewProblem(NotHeld, notHeld.Error())
		id := FromID(notHeld.ID)
		p.Mutex = &id
		return p
	case errors.As(err, &invalid):
		p := NewProblem(Invalid, invalid.Error())
		p.Field, p.Problem = invalid.Field, faultOf(invalid.Code, invalid.Args)
		return p
	case errors.As(err, &shape):
		return FromError(Malformed(shape))
	case errors.Is(err, context.DeadlineExceeded):
		return NewProblem(Unavailable, "the store did not answer in time")
	}
	for _, k := range Kinds {
		if errors.Is(err, k.Err) {
			return NewProblem(codeOf(k.Err), err.Error())
		}
	}
	return NewProblem(Internal, "the server failed; its log says how")
}

// codeOf is the code that stands for an error where several share it.
func codeOf(err error) Code {
	if err == editlock.ErrUnavailable { //nolint:errorlint // a row of the table
		return Unavailable
	}
	for _, k := range Kinds {
		if k.Err == err { //nolint:errorlint // a row of the table
			return k.Code
		}
	}
	return Internal
}

// Malformed returns what is wrong with the shape of a body as the library's
// error for wrong arguments.
func Malformed(err error) error {
	var shape *strictjson.Error
	if errors.As(err, &shape) && shape.Path != "" {
		return &editlock.InvalidError{Field: shape.Path, Problem: shape.Problem}
	}
	return &editlock.InvalidError{Field: "body", Problem: err.Error()}
}

func fromBusy(e *editlock.BusyError) *Problem {
	p := NewProblem(Busy, e.Error())
	holder := FromMutex(e.Holder)
	p.Holder, p.Self = &holder, e.Self
	if len(e.Holders) > 0 {
		p.Holders, p.Total = FromMutexes(e.Holders), e.Total
	}
	p.Draining = fromDraining(e.Draining)
	if d := e.Declined; d != nil {
		p.Declined = &Answer{By: FromOwner(d.By), At: d.At, Message: d.Message}
	}
	return p
}

func fromLost(e *editlock.LostError) *Problem {
	p := NewProblem(Lost, e.Error())
	id := FromID(e.ID)
	p.Mutex, p.How, p.By, p.At, p.Reason = &id, string(e.How), FromOwner(e.By), timeOf(e.At), e.Reason
	p.Problem = faultOf(e.Code, nil)
	if e.Holder != nil {
		holder := FromMutex(*e.Holder)
		p.Holder = &holder
	}
	return p
}

// Err returns the library's error that the problem tells of. It loses
// nothing: FromError of it is the same problem again. What the library has no
// type for, or was sent without what belongs to it, is the problem itself.
func (p *Problem) Err() error {
	switch {
	case p.Code == Busy && p.Holder != nil:
		return p.busy()
	case (p.Code == Conflict || p.Code == HeldByPerson) && p.Holder != nil:
		holder, err := p.Holder.Root()
		switch {
		case err != nil:
			return p
		case p.Code == HeldByPerson:
			return &editlock.HeldByPersonError{Holder: holder}
		}
		return &editlock.ConflictError{Holder: holder}
	case p.Code == Lost:
		return p.lost()
	case p.Code == NotHeld && p.Mutex != nil:
		return &editlock.NotHeldError{ID: p.Mutex.Root()}
	case p.Code == Invalid, p.Code == TooLarge:
		code, args := p.Problem.root()
		return &editlock.InvalidError{Field: p.Field, Problem: strings.TrimPrefix(p.Detail, p.Field+" "), Code: code, Args: args}
	}
	return p
}

func (p *Problem) busy() error {
	holder, err := p.Holder.Root()
	if err != nil {
		return p
	}
	holders, err := RootMutexes(p.Holders)
	if err != nil {
		return p
	}
	e := &editlock.BusyError{Holder: holder, Holders: holders, Total: p.Total, Self: p.Self, Draining: p.Draining.root()}
	if d := p.Declined; d != nil {
		e.Declined = &editlock.Refusal{By: d.By.Root(), At: d.At, Message: d.Message}
	}
	return e
}

func (p *Problem) lost() error {
	e := &editlock.LostError{How: editlock.EventKind(p.How), By: p.By.Root(), Reason: p.Reason}
	e.Code, _ = p.Problem.root()
	if p.Mutex != nil {
		e.ID = p.Mutex.Root()
	}
	if p.At != nil {
		e.At = *p.At
	}
	if p.Holder != nil {
		holder, err := p.Holder.Root()
		if err != nil {
			return p
		}
		e.Holder = &holder
	}
	return e
}

// RefreshResult is a mutex as refreshed, or why it was not: its form is that
// of the one that is not nil.
type RefreshResult struct {
	Mutex   *Mutex
	Problem *Problem
}

// MarshalJSON implements json.Marshaler.
func (r RefreshResult) MarshalJSON() ([]byte, error) {
	if r.Problem != nil {
		return strictjson.Append(nil, r.Problem)
	}
	return strictjson.Append(nil, r.Mutex)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *RefreshResult) UnmarshalJSON(data []byte) error {
	var which struct {
		Code Code `json:"code"`
	}
	if err := strictjson.UnmarshalKnown(data, &which); err != nil {
		return err
	}
	if which.Code != "" {
		r.Problem = new(Problem)
		return strictjson.UnmarshalKnown(data, r.Problem)
	}
	r.Mutex = new(Mutex)
	return strictjson.UnmarshalKnown(data, r.Mutex)
}

var _ json.Unmarshaler = (*RefreshResult)(nil)
