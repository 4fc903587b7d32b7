// Package kv is what a database must do to keep mutexes: rows under keys,
// conditions on them, one counter, one clock, and transactions of one round
// trip. An [Engine] knows nothing of mutexes, holders or queues. What those
// are made of stands in package core, once, in Go; an engine is held to this
// contract by package kvtest.
//
// # Rows
//
// A row is live until its Due, and as long as its lease lives, if it has one.
// Due is given by durations, counted by the engine's clock from the moment of
// the write. A row whose Due has passed is due: it stays, and conditions tell
// it from a live one, until a write deletes or replaces it. A row whose lease
// has ended is gone for good, whether or not the engine has removed it.
//
// # The laws
//
//  1. Commit is linearizable: each transaction happens at one moment between
//     call and return, wholly or not at all. Those of one call happen in
//     order.
//  2. Whether a row is live is decided by the engine's clock, inside the
//     transaction. No other clock decides anything.
//  3. Numbers always rise: no number is given out twice, over restarts and
//     restores either, and a later transaction draws larger ones. They stay
//     below 2^53.
//  4. A transaction whose Once was logged within Window changes nothing and is
//     answered Replayed.
//  5. Log entries become visible in the order of their numbers.
//  6. What was acknowledged outlives a crash, on every engine with a disk.
//
// # The guard
//
// An engine may let an application's own transaction guard a row: it is told
// whether the row is live and has a Rev, and nobody deletes or replaces the row
// until that transaction ends. A Commit never waits for it: it answers a
// transaction that would Guarded, does nothing of it, and does the others. A
// renewal goes through.
package kv

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Window is how long an engine remembers the IDs of log entries, so that a
// transaction repeated within it is one write.
const Window = 10 * time.Minute

// ErrClosed is returned by every method of an engine after Close.
var ErrClosed = errors.New("store: closed")

// Engine is a database. All methods are safe for concurrent use, honour their
// context and return promptly once it ends. A Commit that returns an error may
// or may not have happened.
type Engine interface {
	// Commit performs transactions in one round trip, and answers each. None of
	// them speaks of a key that another one writes, or of a prefix that it is
	// under; so an engine may check all of them, then write what passed, then
	// read. The exception is a delete, which takes rows along that have ended.
	Commit(ctx context.Context, txns []Txn) ([]Answer, error)

	// Read returns what is in the ranges, all at one moment.
	Read(ctx context.Context, ranges ...Range) (Answer, error)

	// Log answers each query with a page of log entries in the order of their
	// numbers, all in one round trip. Each page is of one moment, and no page
	// is of an earlier moment than the one before it.
	Log(ctx context.Context, queries ...LogQuery) ([]LogPage, error)

	// Trim removes the oldest log entries beyond what keep allows, but none
	// younger than Window.
	Trim(ctx context.Context, keep Keep) error

	// Listen calls f for news until stop is called, one call at a time. f must
	// return promptly. News may be lost, never invented: what they report was
	// committed before.
	Listen(f func(News)) (stop func())

	// Limits says how Commit is best called.
	Limits() Limits

	// Close releases what the engine holds. Rows stay, where there is a disk.
	Close() error
}

// Broadcaster is an Engine whose database can carry texts between its processes
// without keeping them: nothing is written that lasts.
type Broadcaster interface {
	// CanBroadcast reports whether this engine can, as it was opened.
	CanBroadcast() bool
	// Broadcast sends a text, of MaxBroadcast bytes at most, to the listeners of all
	// processes, this one's too, as News.Casts. It may be lost.
	Broadcast(ctx context.Context, text string) error
}

// MaxBroadcast is how long a text of a Broadcaster may be, in bytes.
const MaxBroadcast = 7900

// Limits are how many transactions, and roughly how many bytes of them, share
// a Commit, and how many calls of it are under way at a time. Zero: nothing is
// gained by sharing.
type Limits struct{ Txns, Bytes, Calls int }

// Row is what stands under a key. An engine hands out copies.
type Row struct {
	Key   string
	Value []byte
	Data  string   // a second value, which a write may replace by itself
	Tags  []string // what it is found by beside its key
	Lease string   // key of the row that this one lives with, which has no lease; empty: none

	Rev  uint64    // the number it was created under
	Ver  uint64    // how often Value was written since, from 1
	At   time.Time // when it was created
	Seen time.Time // when it was last written
	Due  time.Time // until when it lives; zero: forever
	TTL  time.Duration
	Max  time.Duration
}

// Live reports whether the row's own time has not passed.
func (r *Row) Live(now time.Time) bool { return r.Due.IsZero() || now.Before(r.Due) }

// Cond is a condition on one row, or on how many there are.
type Cond struct {
	// Key names a row that must be live, unless Absent or Dead says otherwise.
	Key    string
	Absent bool    // there is no row, live or due
	Dead   bool    // there is a row, and it is due
	Rev    uint64  // its Rev; 0: any
	Ver    uint64  // its Ver; 0: any
	Tag    string  // a tag that it bears; empty: any
	Lease  string  // the key it lives with; empty: any
	Data   *string // its Data; nil: any

	// Without a Key, the condition counts rows: at most AtMost live ones may
	// have keys that begin with Prefix, and bear Tag if there is one. With Due,
	// rows that are due count as well: with AtMost 0, there is no row at all
	// under Prefix. Counting ends at AtMost+1 rows, however many there are. With
	// NoneDue, no row under Prefix may be due, and AtMost and Due are ignored.
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
	// from 1. With Numbered, Key continues with it, as Numbered says.
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

	// The row is due TTL after each write, but no later than Max after its
	// creation, and no later than Within after this write. 0: no such bound.
	TTL, Max, Within time.Duration
}

// Entry is a log entry to write.
type Entry struct {
	Number int    // which of the transaction's numbers it has, from 1
	ID     string // a transaction with this Once is a retry from now on; empty: none
	Value  []byte
	Tags   []string // what it is found by
}

// Message is sent once the transaction is committed.
type Message struct {
	To   string // for whom it is; listeners choose
	Text string
	Read int // what the ranges from this one on find goes along
	N    int // so many ranges
}

// Txn is one transaction. Conditions are judged on what stood before it,
// ranges are read after it, whether or not it was done.
type Txn struct {
	Once     string // see Entry.ID; empty: each try is a new transaction
	If       []Cond
	Since    time.Time // one more condition: it is this time or later; zero: whenever
	Numbers  int       // how many numbers it draws, consecutive ones
	Then     []Write
	Log      []Entry
	Messages []Message
	Read     []Range
}

// Answer is what came of a transaction or a Read.
type Answer struct {
	Done     bool // the conditions held and the writes were made
	Replayed bool // it was done before: see Txn.Once
	// Guarded: the conditions held, but nothing was done, as an application's
	// transaction guards a row that would have been deleted or replaced. First
	// and Found mean nothing then. The same transaction may be tried again.
	Guarded bool
	First   uint64
	Now     time.Time // UTC, whole microseconds
	Found   []Found   // for each Range
}

// Found is what is in a range.
type Found struct {
	Rows  []Row
	Count int // of all rows in the range, if it was asked for

	// Beside has what is in the range beside each row, if one was asked for.
	Beside []Found
}

// Range selects rows. With Key it is that row, live or due; without, it is
// live rows in the order of their keys, by bytes. Rows that are due are passed over in the
// same read, however many they are: see Either. Rows whose lease has ended are
// never found.
type Range struct {
	Key    string
	Prefix string // keys that begin so
	Tag    string // rows that bear it
	Lease  string // rows that live with this key
	After  string // keys after this one
	Limit  int    // rows at most; 0: all
	Count  bool   // counts the rows beyond the limit too
	Brief  bool   // leaves out Value

	// Overdue selects the rows that are due instead of the live ones.
	Overdue bool

	// Either selects rows that are due as well as live ones, so that no more rows are
	// read than are found. It goes with Limit and without Count, in a Read.
	Either bool

	// Due selects all rows that have a Due, in the order of it, those that are
	// due first. It goes with Limit and Brief only.
	Due bool

	// Beside, if not empty, asks for a range beside each row found: the keys
	// that begin with the row's, up to its first Separator and with it, or
	// followed by one, but with Beside in place of as many first bytes. It has
	// this Limit, and a Count.
	Beside      string
	BesideLimit int
}

// Separator ends a key that others continue. No name contains it. PartMark ends the
// name of what has parts, in the names of these.
const (
	Separator = "\x00"
	PartMark  = "#"
)

// IsGroup reports whether a prefix ends with one of these. An engine may take it that
// few rows are under such a prefix. Under any other there may be a hundred thousand.
func IsGroup(prefix string) bool {
	return strings.HasSuffix(prefix, Separator) || strings.HasSuffix(prefix, PartMark)
}

// LogQuery selects log entries.
type LogQuery struct {
	Tag    string // entries that bear it; empty: all
	After  uint64 // numbers above this one
	Before uint64 // and below this one; 0: no bound
	Newest bool   // newest first
	Limit  int    // at most so many
}

// LogPage is one page of the log. One that is shorter than the limit is the
// last.
type LogPage struct {
	Entries []Logged
	Floor   uint64 // entries up to this number may have been removed
	Last    uint64 // the highest number given out
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
	Before     time.Time // entries from before may go, up to the first that is not
	MaxEntries int64     // entries beyond so many may go, oldest first
}

// News is what a committed transaction has to tell.
type News struct {
	Messages []Sent
	Logged   bool     // the log grew
	Casts    []string // texts of a Broadcaster
}

// Sent is a note as it arrives.
type Sent struct {
	To, Text string
	Found    []Found // what goes along; nil where an engine can't send it
	Now      time.Time
}

// NewsOf is the news of a transaction that was done, with all that goes along.
func NewsOf(t *Txn, a *Answer) News {
	n := News{Logged: len(t.Log) > 0}
	for _, note := range t.Messages {
		n.Messages = append(n.Messages, Sent{To: note.To, Text: note.Text, Found: a.Found[note.Read : note.Read+note.N], Now: a.Now})
	}
	return n
}
