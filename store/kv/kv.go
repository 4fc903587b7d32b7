// Package kv says what a database must do to keep mutexes: rows under keys,
// conditions on them, one counter, one clock, and transactions of one round
// trip. An [Engine] knows nothing of mutexes, holders or queues. Package core makes
// rows of those, once, in Go, and turns each store.Txn into a [Txn] of this
// package. Package kvtest holds engines to this contract.
//
// # Rows
//
// A row is live until its Due and, if it names a Lease, only while that row is
// live, too. A write gives durations; the engine's clock makes Due of them at the
// moment of the write. A row whose Due has passed is due: it remains until a write
// deletes or replaces it, and conditions distinguish it from a live one. A row whose
// lease has ended is lost for good, whether or not the engine has removed it.
//
// # The laws
//
//  1. Commit is linearizable: each transaction happens at one moment between
//     call and return, as a whole or not at all. Those of one call happen in
//     order.
//  2. Whether a row is live is decided by the engine's clock, inside the
//     transaction. No other clock decides anything.
//  3. Numbers always rise: no number is drawn twice, even after a restart or a
//     restore, and a later transaction draws larger ones. They stay below 2^53.
//  4. A transaction whose Once was logged within Window changes nothing. Its
//     answer is Replayed.
//  5. Log entries become visible in the order of their numbers.
//  6. Acknowledged transactions survive a crash, on every engine with a disk.
//
// # The guard
//
// An engine may let an application's own transaction guard a row: that transaction
// learns whether the row is live and has a given Rev, and until it ends nobody deletes
// or replaces the row. A Commit never waits for it. A transaction that would delete or
// replace the row is not done, and its answer is Guarded; the others of the call are
// done. A renewal is done, too.
package kv

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Window is how long an engine remembers the IDs of log entries. A transaction that
// is repeated within it is one write.
const Window = 10 * time.Minute

// ErrClosed is returned by every method of an engine after Close.
var ErrClosed = errors.New("store: closed")

// Engine is a database. All methods are safe for concurrent use, honour their
// context and return promptly once it ends. A Commit that returns an error may
// or may not have happened.
type Engine interface {
	// Commit performs transactions in one round trip, and answers each. No
	// transaction names a key that another one writes, or a prefix of such a key. So
	// an engine may check all of them, then write what passed, then read. The
	// exception is a delete, which also removes leased rows that have ended.
	Commit(ctx context.Context, txns []Txn) ([]Answer, error)

	// Read returns what is in the ranges, all at one moment.
	Read(ctx context.Context, ranges ...Range) (Answer, error)

	// Log answers each query with a page of log entries in the order of their
	// numbers, all in one round trip. Each page shows one moment, and no page
	// shows an earlier moment than the page before it.
	Log(ctx context.Context, queries ...LogQuery) ([]LogPage, error)

	// Trim removes the oldest log entries beyond what keep allows, but none
	// younger than Window.
	Trim(ctx context.Context, keep Keep) error

	// Listen calls f with what committed transactions report, one call at a time,
	// until stop is called. f must return promptly. Reports may be lost, never
	// invented: what they report was committed before.
	Listen(f func(News)) (stop func())

	// Limits says how Commit is best called.
	Limits() Limits

	// Close releases what the engine holds. Rows stay, where there is a disk.
	Close() error
}

// Broadcaster is an Engine whose database can carry texts between its processes
// without storing them.
type Broadcaster interface {
	// CanBroadcast reports whether this engine can, as it was opened.
	CanBroadcast() bool
	// Broadcast sends a text, of MaxBroadcast bytes at most, to the listeners of all
	// processes, this one's too, as News.Casts. It may be lost.
	Broadcast(ctx context.Context, text string) error
}

// MaxBroadcast is the largest size of a text of a Broadcaster, in bytes.
const MaxBroadcast = 7900

// Limits say how many transactions, and roughly how many bytes of them, should share
// a Commit at most, and how many calls of Commit may run at a time. Zero: sharing
// gains nothing.
type Limits struct{ Txns, Bytes, Calls int }

// Row is the row under a key. An engine returns copies.
type Row struct {
	Key   string
	Value []byte
	Data  string   // a second value, which a write may replace alone
	Tags  []string // further keys by which ranges and conditions find it
	Lease string   // key of the row that this one is leased to, which has no lease itself; empty: none

	Rev  uint64        // the number it was created under
	Ver  uint64        // counts the writes of Value, from 1
	At   time.Time     // when it was created
	Seen time.Time     // when it was last written
	Due  time.Time     // when it is due; zero: never
	TTL  time.Duration // as last written: see Write
	Max  time.Duration
}

// Live reports whether the row's own time has not passed.
func (r *Row) Live(now time.Time) bool { return r.Due.IsZero() || now.Before(r.Due) }

// Cond is a condition on one row, or on a number of rows.
type Cond struct {
	// Key names a row that must be live, unless Absent or Dead says otherwise.
	Key    string
	Absent bool    // there is no row, live or due
	Dead   bool    // there is a row, and it is due
	Rev    uint64  // its Rev; 0: any
	Ver    uint64  // its Ver; 0: any
	Tag    string  // a tag that it has; empty: any
	Lease  string  // its Lease; empty: any
	Data   *string // its Data; nil: any

	// Without a Key, the condition counts rows: at most AtMost live ones may
	// have keys that begin with Prefix, and have Tag if it is set. With Due, rows
	// that are due count, too: with AtMost 0, there must be no row at all under
	// Prefix. Counting ends at AtMost+1 rows, however many there are. With NoneDue,
	// no row under Prefix may be due, and AtMost and Due are ignored.
	Prefix  string
	AtMost  int
	Due     bool
	NoneDue bool
}

// Write changes one row. It creates or replaces the row under its key, unless
// Delete or Renew says otherwise.
type Write struct {
	Key string
	// Number says which of the transaction's numbers becomes the row's Rev,
	// from 1. With Numbered, the row's key is Key followed by that number: see the
	// function Numbered.
	Number   int
	Numbered bool

	Delete bool // removes the row, if there is one, and the rows leased to it
	// Renew keeps what the write does not give: Rev and At always, Value, Tags
	// and Lease where they are empty, Data where it is nil, and TTL and Max
	// where they are 0 (negative ones are removed). A condition of the
	// transaction must say that the row exists.
	Renew bool

	Value []byte
	Data  *string
	Tags  []string
	Lease string // a row whose lease is not live is not written

	// The row is due at the earliest of TTL after its last write, Max after its
	// creation, and Within after this write. 0: no such bound.
	TTL, Max, Within time.Duration
}

// Entry is a log entry to write.
type Entry struct {
	Number int    // which of the transaction's numbers it has, from 1
	ID     string // later transactions with this Once are retries; empty: none
	Value  []byte
	Tags   []string // by which LogQuery.Tag finds it
}

// Message is sent to all listeners once its transaction is committed.
type Message struct {
	To   string // the addressee; listeners select by it
	Text string
	// The message carries what N of the transaction's ranges found, from index Read.
	Read, N int
}

// Txn is one transaction. Its conditions are checked before its writes, its ranges
// are read after them, whether or not the conditions held.
type Txn struct {
	Once     string // idempotency key, see Entry.ID; empty: each try is a new transaction
	If       []Cond
	Since    time.Time // one more condition: the clock shows this time or later; zero: none
	Numbers  int       // how many consecutive numbers it draws
	Then     []Write
	Log      []Entry
	Messages []Message
	Read     []Range
}

// Answer is the result of a transaction or a Read.
type Answer struct {
	Done     bool // the conditions held and the writes were made
	Replayed bool // it was done before: see Txn.Once
	// Guarded: the conditions held, but nothing was done, because an application's
	// transaction guards a row that would have been deleted or replaced. First
	// and Found mean nothing then. The same transaction may be tried again.
	Guarded bool
	First   uint64    // the first number drawn
	Now     time.Time // UTC, whole microseconds
	Found   []Found   // for each Range
}

// Found is what is in a range.
type Found struct {
	Rows  []Row
	Count int // of all rows in the range, if Range.Count asked for it

	// Beside has what is in the range beside each row, if Range.Beside asked for it.
	Beside []Found
}

// Range selects rows. With Key it selects that row, live or due. Without, it selects
// live rows in the order of their keys, by bytes. The same read skips rows that are
// due, however many there are: see Either. Rows whose lease has ended are never found.
type Range struct {
	Key    string
	Prefix string // keys that begin so
	Tag    string // rows that have this tag
	Lease  string // rows that are leased to this key
	After  string // keys after this one
	Limit  int    // rows at most; 0: all
	Count  bool   // counts the rows beyond the limit too
	Brief  bool   // leaves out Value

	// Overdue selects the rows that are due instead of the live ones.
	Overdue bool

	// Either selects both live rows and rows that are due, so that no more rows are
	// read than are found. It goes with Limit and without Count, in a Read.
	Either bool

	// Due selects all rows that have a Due, live or due, earliest first. It goes with
	// Limit and Brief only.
	Due bool

	// Beside, if not empty, asks for a further range with each row found. Its prefix
	// is the row's key up to the first Separator, with as many first bytes as Beside
	// has replaced by Beside, and a Separator: see BesideOf. It has BesideLimit as its
	// Limit, and a Count.
	Beside      string
	BesideLimit int
}

// Separator ends a key that other keys continue. No name contains it. In the name of
// a part, PartMark ends the name of the object.
const (
	Separator = "\x00"
	PartMark  = "#"
)

// IsGroup reports whether a prefix ends with Separator or PartMark. An engine may
// assume that few rows are under such a prefix. Under any other there may be a hundred
// thousand.
func IsGroup(prefix string) bool {
	return strings.HasSuffix(prefix, Separator) || strings.HasSuffix(prefix, PartMark)
}

// LogQuery selects log entries.
type LogQuery struct {
	Tag    string // entries that have this tag; empty: all
	After  uint64 // numbers above this one
	Before uint64 // and below this one; 0: no bound
	Newest bool   // newest first
	Limit  int    // largest number of entries
}

// LogPage is one page of the log. One that is shorter than the limit is the
// last.
type LogPage struct {
	Entries []Logged
	Floor   uint64 // entries up to this number may have been removed
	Last    uint64 // the highest number drawn
	Now     time.Time
}

// Logged is an entry in the log.
type Logged struct {
	Number uint64
	At     time.Time
	Value  []byte
}

// Keep says how much of the log to keep. Zero fields keep everything.
type Keep struct {
	Before     time.Time // entries before this time may be removed, up to the first later one
	MaxEntries int64     // entries in excess of this number may be removed, oldest first
}

// News is what a committed transaction reports to listeners.
type News struct {
	Messages []Sent
	Logged   bool     // the log grew
	Casts    []string // texts of Broadcaster.Broadcast, which no transaction sent
}

// Sent is a Message as it arrives.
type Sent struct {
	To, Text string
	Found    []Found   // what the message carries; nil where an engine can't send it
	Now      time.Time // of the transaction
}

// NewsOf returns what a transaction that was done reports.
func NewsOf(t *Txn, a *Answer) News {
	n := News{Logged: len(t.Log) > 0}
	for _, m := range t.Messages {
		n.Messages = append(n.Messages, Sent{To: m.To, Text: m.Text, Found: a.Found[m.Read : m.Read+m.N], Now: a.Now})
	}
	return n
}
