// Package store is the contract between editlock's rules and the engines
// that keep its records: one compare-and-swap per round trip, judged by the
// store's own clock.
//
// An engine knows nothing of people or edit locks. It keeps, under each
// name, at most one [Record] and a queue of [Waiter]s, mints tokens that only
// rise, and appends to one log. What a step does to them is fixed by [Apply]
// and [Settle], which are the contract as code: an engine may run them
// (those on package core do) or say the same in its own language, but package
// storetest holds it to them either way.
//
// # The laws
//
//  1. Commit is linearizable: its effect happens at one moment between call and
//     return, for all its names together, or not at all.
//  2. Whether a record, or a waiting process, is alive is decided by the
//     store's clock, inside the step.
//  3. Tokens of one name rise forever: through release, expiry and restart.
//  4. A [Txn] with an ID that is logged takes effect at most once within
//     [RetryWindow], sent again by anybody.
//  5. A refusal returns the records in force.
//  6. Log entries are written in the same step as the change they tell of.
//  7. What was acknowledged outlives a crash, on every engine with a disk.
package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RetryWindow is how long an engine remembers the ID of a request, so that a
// retry within it is the same write.
const RetryWindow = 10 * time.Minute

// MaxWaiters is how many waiters of one name a Record carries at most; its
// Waiting field counts them all.
const MaxWaiters = 20

// ErrClosed is returned by every method of a store after Close.
var ErrClosed = errors.New("store: closed")

// ErrFull is wrapped by the error of a step for which the store has no room.
// One that needs less may find some.
var ErrFull = errors.New("store: full")

// Store keeps records. All methods are safe for concurrent use, honour their
// context, and return promptly once it ends; a Commit that returns the
// context's error may or may not have happened (repeat it with its ID).
type Store interface {
	// Commit performs the transaction in one atomic step, or changes nothing but
	// what [Settle] would have changed anyway. A refusal is not an error.
	Commit(ctx context.Context, req Txn) (Result, error)

	// Get returns what stands under a name: the oldest hold of a session, if it
	// has one, else the oldest of all. It changes nothing: an expired record is
	// reported as none, although it may not have been swept.
	Get(ctx context.Context, name, session string) (View, error)

	// List returns live records in the order of their names (by bytes), those of
	// one name in the order of their tokens.
	List(ctx context.Context, q RecordQuery) (RecordPage, error)

	// Log returns entries in the order of their sequence numbers. Entries
	// become visible in that order: once an entry was seen, none with a
	// smaller number appears. It examines at most LogPiece entries more than
	// its limit, and then says where to read on.
	Log(ctx context.Context, q LogQuery) (LogPage, error)

	// Ends looks up how holds ended: for each, the first log entry of its name
	// above its token that has one of the kinds, and tells of its end by
	// LogEntry.Ended, among as many as EndsWithin says; nil if there is none. Its cost does not grow with the log.
	Ends(ctx context.Context, holds []Hold, kinds []string) (Ends, error)

	// KeepAlive keeps a waiting process alive for ttl and returns the IDs of its
	// waiters that still wait. One keep-alive serves all waits of a process. A
	// process that died has lost its waiters for good, also those it joined
	// under while dead: it sends a keep-alive first, then joins. The ttl of a process does
	// not change, and is at least a millisecond.
	KeepAlive(ctx context.Context, process string, ttl time.Duration) (waiters []string, err error)

	// Sweep settles what is due now, prunes the log as keep says, and tells
	// how long until something is due again (negative: nothing is known to
	// be). An idle sweep costs no write.
	Sweep(ctx context.Context, keep Retention) (due time.Duration, err error)

	// Subscribe subscribes to news for a process: grants of its waiters, and
	// growth of the log. News may be lost, never invented.
	Subscribe(process string) *Subscription

	// Close releases what the store holds. Records stay.
	Close() error
}

// Pauser is a Store whose transactions keep other processes waiting if this
// process is stopped within one.
type Pauser interface {
	// Pause waits until no transaction is open, and lets none begin until
	// resume is called. Calls made meanwhile wait.
	Pause() (resume func())
}

// Broadcaster is a Store that may pass texts between the processes that share it,
// without keeping them. What is sent may be lost, and costs no durable write.
type Broadcaster interface {
	// CanBroadcast reports whether the store's engine can.
	CanBroadcast() bool
	// Broadcast sends a text, of some kilobytes at most, to all processes, this one too.
	Broadcast(ctx context.Context, text string) error
	// Receive calls f for each text, one at a time, until stop is called. f must
	// return promptly.
	Receive(f func(text string)) (stop func())
}

// Retention says how much of the log to keep. Zero fields keep everything.
// Entries younger than RetryWindow always stay. Age is a moment and no span: the
// clock of the moment at which a sweep happens to run deletes nothing.
type Retention struct {
	Before     time.Time // entries from before may go, up to the first that is not
	MaxEntries int64     // entries beyond so many may go, oldest first
}

// View is what stands under one name at one moment. Nothing in it is later than
// Now, but a step that read the clock before Now may become visible after it.
type View struct {
	Record *Record // nil: free
	Path   *Path   // nil: nothing stands there
	Now    time.Time
}

// RecordQuery selects records for List. Empty fields select everything.
type RecordQuery struct {
	Prefix  string // names that begin so
	Session string // holder's session, exactly
	User    string // holder's user, exactly
	After   string // names after this one
	// AfterToken goes with After: also holds of that name with larger tokens. 0:
	// none.
	AfterToken uint64
	Limit      int // at most so many; 0 means 100
}

// RecordPage is one page of records. It may be short, or empty, although others follow.
type RecordPage struct {
	Records []Record
	Now     time.Time

	// Next and NextToken are the After and AfterToken of the page behind this one. Next is
	// empty if this is the last.
	Next      string
	NextToken uint64
	// Examined is how many were read for it, also of those that have expired.
	Examined int
}

// ListPiece bounds how many records a List examines beyond its limit. A million may have
// expired together, and are read until a sweep has removed them.
const ListPiece = 2000

// LogQuery selects log entries. Empty fields select everything.
type LogQuery struct {
	Name     string // this name only
	Tree     string // this name and all below it
	Prefix   string // names that begin so
	Infix    string // names that contain this
	User     string // owner, actor or other party
	Request  string // written by this request, or of this waiter
	Kinds    []string
	From, To time.Time // entry times: From <= At < To
	After    uint64    // sequence numbers above this one
	Before   uint64    // and below this one; 0: no bound
	Newest   bool      // newest first
	Limit    int       // at most so many; 0 means 100
}

// Matches reports whether the query selects an entry.
func (q LogQuery) Matches(e LogEntry) bool {
	return (q.Name == "" || e.Name == q.Name) &&
		(q.Tree == "" || e.Name == q.Tree || IsAbove(q.Tree, e.Name)) &&
		strings.HasPrefix(e.Name, q.Prefix) && strings.Contains(e.Name, q.Infix) &&
		(q.Request == "" || e.Request == q.Request) &&
		(q.User == "" || e.Owner.User == q.User || e.Actor.User == q.User || e.Other.User == q.User) &&
		(len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) &&
		(q.From.IsZero() || !e.At.Before(q.From)) &&
		(q.To.IsZero() || e.At.Before(q.To)) &&
		e.Seq > q.After && (q.Before == 0 || e.Seq < q.Before)
}

// WholeLetters is the front of a prefix that ends between letters: names are
// UTF-8, but a prefix is compared by bytes and may end within a letter.
func WholeLetters(prefix string) string {
	for !utf8.ValidString(prefix) {
		prefix = prefix[:len(prefix)-1]
	}
	return prefix
}

// LogPage is one page of the log.
type LogPage struct {
	Entries []LogEntry
	Floor   uint64 // entries up to this number may have been pruned
	Last    uint64 // the highest number given out, at the moment of the page

	// Next is where to read on: the next query's After, or its Before if the
	// newest come first. 0: no more entries match.
	Next     uint64
	Examined int // entries that were looked at for this page
}

// LogPiece bounds how many entries a Log examines beyond its limit, so that no
// filter keeps an engine from others' work for long.
const LogPiece = 4000

// Hold is a time that a name was held.
type Hold struct {
	Name  string
	Token uint64
}

// Ends is what the log tells of the ends of holds.
type Ends struct {
	Entries []*LogEntry // one per hold; nil: the log tells of none
	Floor   uint64      // entries up to this number may have been pruned
}

// EndsWithin is how many entries of each name Ends examines at most.
func EndsWithin(holds int) int { return max(20, 1000/max(holds, 1)) }
