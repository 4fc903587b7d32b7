// Package store is the contract between editlock's rules, in the root package,
// and what keeps its records. A [Txn] is one compare-and-swap in one round trip,
// judged by the store's own clock.
//
// A [Store] keeps, under each name, holds (a [Record] each) and a queue of
// [Waiter]s, mints tokens that only rise, and appends to one log. It knows
// nothing of edit locks. The effect of a transaction is fixed by [Run], which
// applies [Settle] and [Apply]: the contract as code. Package core is the one
// Store. It calls Run, and keeps the result in an engine: a database that
// implements kv.Engine and knows nothing of holds or queues. Package storetest
// holds core to this contract on each engine.
//
// [Txn], [Event] and [Waiter] are those of a store. A kv.Txn is what core makes of
// a Txn for an engine. An editlock.Event and an editlock.Waiter are what users see.
//
// # The laws
//
//  1. Commit is linearizable: its effect happens at one moment between call and
//     return, for all its names together, or not at all.
//  2. Whether a record, or a waiting process, is alive is decided by the
//     store's clock, inside the transaction.
//  3. Tokens of one name rise forever: through release, expiry and restart.
//  4. A [Txn] with an ID that is logged takes effect at most once within
//     [RetryWindow], whichever process repeats it.
//  5. A refusal returns the records in force.
//  6. A log entry is written in the same transaction as the change it describes.
//  7. Acknowledged transactions survive a crash, on every engine with a disk.
package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RetryWindow is how long a store remembers the ID of a transaction. A retry within
// it is the same write.
const RetryWindow = 10 * time.Minute

// MaxWaiters is how many waiters of one name a Record carries at most; its
// Waiting field counts them all.
const MaxWaiters = 20

// ErrClosed is returned by every method of a store after Close.
var ErrClosed = errors.New("store: closed")

// ErrFull is wrapped by the error of a transaction for which the database has no
// room. A smaller transaction may succeed.
var ErrFull = errors.New("store: full")

// Store keeps records. All methods are safe for concurrent use, honour their
// context, and return promptly once it ends; a Commit that returns the
// context's error may or may not have happened (repeat it with its ID).
type Store interface {
	// Commit performs all operations of the transaction atomically, or refuses it. A
	// refused transaction changes only what [Settle] changes. A refusal is not an
	// error: see Result.Done.
	Commit(ctx context.Context, req Txn) (Result, error)

	// Get returns the current record of a name: the oldest hold of the session, if
	// it has one, else the oldest of all. It changes nothing. An expired record is
	// not returned, even if no sweep has removed it yet.
	Get(ctx context.Context, name, session string) (View, error)

	// List returns live records in the order of their names (by bytes), those of
	// one name in the order of their tokens.
	List(ctx context.Context, q RecordQuery) (RecordPage, error)

	// Log returns entries in the order of their sequence numbers. Entries
	// become visible in that order: once an entry was seen, none with a
	// smaller number appears. Log examines at most LogPiece entries more than
	// its limit. LogPage.Next says where to read on.
	Log(ctx context.Context, q LogQuery) (LogPage, error)

	// Ends looks up how holds ended. For each hold it returns the first log entry of
	// the name, after the hold's token, that has one of the kinds and reports the
	// end by LogEntry.Ended; nil if there is none among the first EndsWithin
	// entries. The cost does not grow with the log.
	Ends(ctx context.Context, holds []Hold, kinds []string) (Ends, error)

	// KeepAlive renews the lease of a waiting process for ttl, and returns the IDs of
	// its waiters that still wait. One keep-alive serves all waits of a process. If
	// the lease has expired, the waiters of the process are lost for good, and so
	// are those that it joins before its next keep-alive. So a process sends a
	// keep-alive first, then joins. The ttl of a process does not change, and is at
	// least a millisecond.
	KeepAlive(ctx context.Context, process string, ttl time.Duration) (waiters []string, err error)

	// Sweep settles the names that are due, prunes the log as keep says, and returns
	// how long it is until a name is due again (negative: none is known to be).
	// A sweep with nothing to do writes nothing.
	Sweep(ctx context.Context, keep Retention) (due time.Duration, err error)

	// Subscribe subscribes to signals for a process: its waiters that left their
	// queues, and growth of the log. Signals may be lost, never invented.
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
// Entries younger than RetryWindow always stay. The bound is a time, not an age:
// a clock that is wrong while a sweep runs deletes nothing.
type Retention struct {
	Before     time.Time // entries before this time may be removed, up to the first later one
	MaxEntries int64     // entries in excess of this number may be removed, oldest first
}

// View is the current record of one name at one moment. Nothing in it is later than
// Now, but a transaction that read the clock before Now may become visible after it.
type View struct {
	Record *Record // nil: free
	Path   *Path   // what blocks the session, as of State.InTheWay; nil: nothing
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
	Limit      int // largest number of records; 0 means 100
}

// RecordPage is one page of records. It may be short, or empty, although others follow.
type RecordPage struct {
	Records []Record
	Now     time.Time

	// Next and NextToken are the After and AfterToken of the next page. Next is empty
	// if this is the last.
	Next      string
	NextToken uint64
	// Examined is how many records were read for the page, expired ones included.
	Examined int
}

// ListPiece is how many records a List examines beyond its limit at most. A million
// may have expired together, and List reads them until a sweep has removed them.
const ListPiece = 2000

// LogQuery selects log entries. Empty fields select everything.
type LogQuery struct {
	Name     string // this name only
	Tree     string // this name and all below it
	Prefix   string // names that begin so
	Infix    string // names that contain this
	User     string // owner, actor or other party
	Request  string // entries of the transaction, or the waiter, with this ID
	Kinds    []string
	From, To time.Time // entry times: From <= At < To
	After    uint64    // sequence numbers above this one
	Before   uint64    // and below this one; 0: no bound
	Newest   bool      // newest first
	Limit    int       // largest number of entries; 0 means 100
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

// WholeLetters returns a prefix without an incomplete UTF-8 character at its end.
// Prefixes are compared by bytes, and may end within a character.
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
	Examined int // entries that were read for this page
}

// LogPiece is how many entries a Log examines beyond its limit at most, so that no
// filter occupies an engine for long.
const LogPiece = 4000

// Hold identifies a hold of a name, current or past.
type Hold struct {
	Name  string
	Token uint64
}

// Ends is the result of Store.Ends.
type Ends struct {
	Entries []*LogEntry // one per hold; nil: no entry was found
	Floor   uint64      // entries up to this number may have been pruned
}

// EndsWithin is how many entries of each name Ends examines at most, for this many
// holds.
func EndsWithin(holds int) int { return max(20, 1000/max(holds, 1)) }
