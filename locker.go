package editlock

import (
	"context"
	"iter"
	"time"
)

// Limits of single calls.
const (
	MaxWait        = time.Hour
	MaxBatch       = 1000 // IDs in one CaptureAll, items in one Refresh
	MaxMessage     = 1000 // bytes of a reason or message
	MaxPage        = 1000 // rows of one page
	DefaultPage    = 100
	minGrantAfter  = time.Second
	maxGrantAfter  = 24 * time.Hour
	minGrace       = time.Second
	maxGrace       = time.Minute
	maxRequestID   = 200
	maxTextFilter  = 500
	maxKindsFilter = 20
)

// Locker is editlock's whole service. *Manager implements it on a store and
// *client.Client over HTTP, with the same behaviour.
//
// Calls act for the owner in the context (see WithOwner), and are safe for concurrent
// use. A call that is sent again after its answer was lost says so by WithAttempt. Refusals are *BusyError, *ConflictError,
// *LostError or *NotHeldError, wrong arguments are
// *InvalidError and change nothing, and a store or server out of reach is
// ErrUnavailable. The store's clock decides what is expired; what is expired
// is free, for every call.
type Locker interface {
	// Capture captures a mutex, or refreshes it if the caller's session holds
	// it. A refresh keeps token and CapturedAt. Nil options are defaults.
	//
	//	held by      | no condition     | IfFree   | IfStatusData(x)       | IfToken(t)
	//	nobody       | captured         | captured | ErrLost               | ErrLost
	//	the caller   | refreshed        | ErrBusy  | refreshed if x equals | refreshed if t equals
	//	another      | ErrBusy          | ErrBusy  | ErrLost               | ErrLost
	Capture(ctx context.Context, id ID, opts *CaptureOptions) (Mutex, error)

	// CaptureAll captures several mutexes, all or none, in one atomic step,
	// so the order given can't deadlock. Only no condition and IfFree are
	// allowed, and no wait. *BusyError names every holder in the way. The
	// answer is in the order of ids.
	CaptureAll(ctx context.Context, ids []ID, opts *CaptureOptions) ([]Mutex, error)

	// Refresh extends mutexes by their tokens, each for itself; it never
	// captures. Accepted from the session that holds, and from the same
	// user in a new session, which then becomes the owner's. The answer is
	// in the order of items; error is for the call as a whole.
	Refresh(ctx context.Context, items []RefreshItem) ([]RefreshResult, error)

	// Request reports the holder of a mutex and changes nothing. The Mutex is zero
	// if it is free. Its name is that of request_mutex in m3-mutex: it requests the
	// state, not the mutex.
	Request(ctx context.Context, id ID) (State, Mutex, error)

	// Release frees a mutex of the caller's session, or passes it to the
	// first who waits. Free already: false, no error. Another's: ErrBusy;
	// with IfStatusData or IfToken: false, no error, unless it is the
	// caller's and the condition holds.
	Release(ctx context.Context, id ID, cond Condition) (released bool, err error)

	// ReleaseAfter is Release with a grace time, 1 s to 60 s: the mutex is held
	// so long still, and kept for good by a refresh in between. For a page
	// that closes, which may be one that reloads. Set another status data with
	// that refresh and give IfStatusData here, so that a late call of the old
	// page does not end what the new one keeps. Its end is an expiry in history.
	ReleaseAfter(ctx context.Context, id ID, cond Condition, grace time.Duration) (released bool, err error)

	// ReleaseAll releases several mutexes of the caller's session, each as
	// Release without a condition would, and returns those that the session held.
	ReleaseAll(ctx context.Context, ids []ID) (released []ID, err error)

	// ReleaseSession releases everything one session holds (at logout, for
	// example) and tells what it was. Its cost grows with what is held by
	// that session only.
	ReleaseSession(ctx context.Context, session string) (released []ID, err error)

	// Takeover makes the caller the holder in place of the one seen, by their
	// token, with the same sharing or limit: *BusyError if another holds it by now, *NotHeldError if it is
	// free. A reason is required. The status data is empty
	// and the auto release the default unless opts say otherwise.
	Takeover(ctx context.Context, id ID, seen Token, reason string, opts *CaptureOptions) (Mutex, error)

	// ForceRelease frees a mutex of anybody's, by the token seen, with a
	// reason. Refused like Takeover if the holder has changed.
	ForceRelease(ctx context.Context, id ID, seen Token, reason string) error

	// HandOver passes a mutex of the caller's session to the first who
	// waits. Nobody waits: false, and the caller keeps it.
	HandOver(ctx context.Context, id ID) (passed bool, err error)

	// Decline ends somebody's wait (by Waiter.ID) for a mutex of the
	// caller's session, with a message for them. False: they no longer wait.
	Decline(ctx context.Context, id ID, waiter, message string) (declined bool, err error)

	// List returns captured mutexes in the order of their canonical IDs.
	List(ctx context.Context, q Query) (Page, error)

	// History returns what happened, newest first.
	History(ctx context.Context, q HistoryQuery) (HistoryPage, error)

	// Watch yields events as they happen, until ctx ends or the loop
	// breaks. An error is yielded once, last.
	Watch(ctx context.Context, q WatchQuery) iter.Seq2[Event, error]

	// Close releases resources of the Locker itself; mutexes stay held.
	Close() error
}

// CaptureOptions adjusts a capture. Nil, or zero fields, are the defaults.
type CaptureOptions struct {
	StatusData  string      // empty keeps what is there
	AutoRelease AutoRelease // zero: DefaultIdle, or what is there
	If          Condition

	// Wait is how long to queue for a mutex that another holds, up to
	// MaxWait. First come, first served. Goes with no condition or IfFree.
	// What was waited for expires, as the answer tells, within 15 s unless
	// it arrives: the Locker confirms it for its whole lease right after.
	Wait time.Duration
	// Message asks the holder to hand over. Goes with Wait.
	Message string
	// GrantAfter lets those who ask with a message have the mutex if this
	// holder does not answer so long, 1 s to 24 h. 0: never by itself, or
	// what is there.
	GrantAfter time.Duration

	// Sharing and Limit say who may hold the mutex at the same time: nobody
	// else, all who share it, or at most Limit, 1 to MaxHolders. Everybody who
	// holds a mutex or waits for it must agree on its Limit, or on none: else
	// *ConflictError. A mutex of one's own changes from exclusive to shared at any
	// time, with the same token, and back only while nobody else holds it or
	// waits, with a new one: else *BusyError at once, whatever the Wait.
	Sharing Sharing
	Limit   int

	// RequestID makes a retry of this capture, of the same mutexes by the same
	// session, the same capture, for ten minutes. At most 200 bytes. Empty: the
	// key of WithAttempt, or one that the Locker makes where it needs one.
	RequestID string
}

// RefreshItem is one mutex to refresh. Zero options keep what is there.
type RefreshItem struct {
	ID          ID
	Token       Token
	StatusData  string
	AutoRelease AutoRelease
	// ByToken accepts the token alone, of any caller.
	ByToken bool
}

// RefreshResult is the mutex as refreshed, or why it was not.
type RefreshResult struct {
	Mutex Mutex
	Err   error
}

// Query selects mutexes. Empty fields select everything.
type Query struct {
	Group   string
	Mode    string
	Session string
	UserID  string
	Text    string // literal, in any letter case, in IDs, status data and owners
	Limit   int    // at most MaxPage; 0 means DefaultPage
	Cursor  string // Page.Next of the page before, by the same query

	// Visible are the areas that the reader may see; nil: everything. What is
	// outside of them does not exist for the query: it moves no page and no cursor.
	// It is for those who stand before a store; a server decides by itself.
	Visible []Area
}

// Page is one page of mutexes; Next is empty on the last one. It may be shorter
// than asked for, or empty, and not be the last.
type Page struct {
	Mutexes []Mutex
	Next    string
}

// EventKind says what happened, in History and Watch.
type EventKind string

// The kinds of events.
const (
	KindCaptured      EventKind = "captured"
	KindReleased      EventKind = "released"
	KindExpired       EventKind = "expired"
	KindTakenOver     EventKind = "taken_over"
	KindForceReleased EventKind = "force_released"
	KindHandedOver    EventKind = "handed_over"
	KindWaiting       EventKind = "waiting"
	KindDeclined      EventKind = "declined"
	KindShared        EventKind = "shared"   // an exclusive hold lets others share
	KindUpgraded      EventKind = "upgraded" // a shared hold is exclusive now, with a new token
	// KindGap is an event only: entries after the one asked for are gone, up to
	// Seq by pruning, or after Seq by a failover that lost the log's end.
	KindGap EventKind = "gap"
)

// Event is a change of a mutex: an entry of History, and what Watch yields. Refreshes
// are not history.
type Event struct {
	Seq    uint64 // rises by at least one; also the ID of the event
	Kind   EventKind
	ID     ID
	Owner  Owner // who holds it, or held it until this
	Actor  Owner // who did it
	Other  Owner // who lost it to a takeover, got it, or was declined; may be zero
	Token  Token
	At     time.Time
	Reason string

	// Sharing and Limit are the hold's, as a Mutex tells them. Replaced is the
	// token of the shared hold whose place this one took over; else 0.
	Sharing  Sharing
	Limit    int
	Replaced Token
}

// HistoryQuery selects events of the past. Empty fields select everything.
type HistoryQuery struct {
	ID       *ID
	Tree     bool // of all that is below ID, too
	Group    string
	Mode     string
	UserID   string // as owner, actor or other side
	Kinds    []EventKind
	From, To time.Time // From <= At < To
	Text     string    // literal, in any letter case, in the ID, the reason and all owners
	Limit    int       // at most MaxPage; 0 means DefaultPage
	Cursor   string    // HistoryPage.Next of the page before, by the same query

	// Visible is as a Query's. Holders of areas count for nothing.
	Visible []Area
}

// HistoryPage is one page of history; Next is empty on the last one. It may be
// shorter than asked for, or empty, and not be the last.
type HistoryPage struct {
	Entries []Event
	Next    string
}

// WatchQuery selects events. Empty fields select everything.
type WatchQuery struct {
	ID      *ID
	Tree    bool // of all that is below ID, too
	Group   string
	Mode    string
	Session string // of the owner, actor or other side
	// After resumes behind the event with this Seq. Nil: from now on. If
	// entries after it are pruned, a KindGap event comes first; a number
	// that was not given out yet is ErrInvalid.
	After *uint64
}
