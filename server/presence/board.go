// Package presence keeps, in the memory of a server, which users look at which record.
// Nothing of it is stored, and nothing here captures, renews or releases a lock. After a
// restart, the next heartbeats of the pages restore it.
package presence

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/editlock/editlock"
)

const (
	// TTL is how long after its last heartbeat a look ends.
	TTL = 30 * time.Second
	// HiddenTTL is the same for a look with unsaved edits in a hidden page: browsers
	// let such a page send a heartbeat once a minute only.
	HiddenTTL = 90 * time.Second
	// MaxPage is the limit of a page's name, in bytes.
	MaxPage = 100
	// sweepEvery is how long what has ended may still take room.
	sweepEvery = 5 * time.Second
)

// State is what a page says of itself. Who holds the lock, the lock says.
type State string

// The states, the strongest first: a person with several pages has the strongest.
const (
	Unsaved State = "unsaved" // has edits that are not saved
	Editing State = "editing" // holds the lock
	Looking State = "looking"
	Idle    State = "idle" // nobody has moved there for some minutes
)

// States are all there are, in that order.
var States = []State{Unsaved, Editing, Looking, Idle}

// Valid reports whether there is such a state.
func (s State) Valid() bool { return s.rank() < len(States) }

func (s State) rank() int {
	for i, known := range States {
		if s == known {
			return i
		}
	}
	return len(States)
}

// Look is a record that a page shows.
type Look struct {
	ID     editlock.ID
	State  State
	Hidden bool // the page is not seen
}

func (l *Look) lives() time.Duration {
	if l.Hidden && l.State == Unsaved {
		return HiddenTTL
	}
	return TTL
}

// Visitor is whose page it is, and who answers for what it costs.
type Visitor struct {
	Owner   editlock.Owner
	Account string // whose looks are counted together; empty: those of the session
	Most    int    // how many looks the account may have; 0: Bounds.PerAccount
}

// Bounds limit what a Board takes of memory. Zero fields are DefaultBounds.
type Bounds struct {
	Looks      int // in all
	Bytes      int // in all, roughly
	PerAccount int
}

// DefaultBounds are room for some ten thousand people.
func DefaultBounds() Bounds { return Bounds{Looks: 200_000, Bytes: 128 << 20, PerAccount: 500} }

// Errors of single looks.
var (
	// ErrOff: nobody is told who looks at records of this group.
	ErrOff = fmt.Errorf("%w: presence is turned off for this group", editlock.ErrForbidden)
	// ErrMany: the account has as many looks as it may.
	ErrMany = fmt.Errorf("%w: too many records are looked at by one caller", editlock.ErrLimited)
	// ErrFull: so has everybody.
	ErrFull = fmt.Errorf("%w: the server has no room for more who look", editlock.ErrLimited)
)

// Board is who looks at what. Make it with New; it is safe for concurrent use.
type Board struct {
	bounds Bounds
	off    func(editlock.ID) bool

	mu       sync.Mutex
	records  map[editlock.ID]*record
	visits   map[visitKey]*visit
	accounts map[string]int // looks
	looks    int
	bytes    int
	swept    time.Time
	sharing  *sharing // nil: with nobody
}

// New returns an empty Board. off tells the records of which nobody is told who
// looks at them; nil: none.
func New(b Bounds, off func(editlock.ID) bool) *Board {
	d := DefaultBounds()
	for _, f := range []struct{ given, usual *int }{{&b.Looks, &d.Looks}, {&b.Bytes, &d.Bytes}, {&b.PerAccount, &d.PerAccount}} {
		if *f.given == 0 {
			*f.given = *f.usual
		}
	}
	if off == nil {
		off = func(editlock.ID) bool { return false }
	}
	return &Board{
		bounds: b, off: off, records: map[editlock.ID]*record{}, visits: map[visitKey]*visit{}, accounts: map[string]int{}, swept: time.Now(),
	}
}

// visitKey is a page of a session, at a server; empty: at this one.
type visitKey struct{ server, session, page string }

// visit is a page, and what it shows.
type visit struct {
	key     visitKey
	owner   editlock.Owner
	account string
	looks   map[editlock.ID]*look
}

// look is a record that a visit shows.
type look struct {
	state State
	since time.Time
	until time.Time
}

// What a look and a visit take beside their texts, as measured.
const (
	lookBytes  = 450
	visitBytes = 680
)

func (v *visit) size() int {
	o := &v.owner
	return visitBytes + len(v.key.page) + len(v.account) + len(o.Session) + len(o.UserID) + len(o.Login) + len(o.Name) + len(o.Host) + len(o.OnBehalfOf)
}

func sizeOf(id editlock.ID) int {
	return lookBytes + len(id.Group) + len(id.Mode) + len(id.ID) + len(id.Part)
}

// Off reports whether nobody is told who looks at a record.
func (b *Board) Off(id editlock.ID) bool { return b.off(id) }

// Beat is a heartbeat of a page: it keeps the page present at the records of its looks,
// and ends its presence at others; without looks, at all. The errors are those of the
// looks, in their order: nil for looks that are kept.
func (b *Board) Beat(who Visitor, page string, looks []Look) []error {
	if who.Account == "" {
		who.Account = who.Owner.Session
	}
	if who.Most == 0 {
		who.Most = b.bounds.PerAccount
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.swept) >= sweepEvery {
		b.sweep(now)
	}
	key := visitKey{"", who.Owner.Session, page}
	v := b.visits[key]
	if v != nil && (v.owner != who.Owner || v.account != who.Account) {
		b.end(v) // the session has another user now
		v = nil
	}
	if v == nil {
		if len(looks) == 0 {
			b.left(key)
			return nil
		}
		v = &visit{key: key, owner: who.Owner, account: who.Account, looks: map[editlock.ID]*look{}}
		b.visits[key] = v
		b.bytes += v.size()
	}
	if len(looks) == 0 {
		b.end(v)
		b.left(key)
		return nil
	}
	gone := maps.Clone(v.looks)
	for i := range looks {
		delete(gone, looks[i].ID)
	}
	for id := range gone {
		b.drop(v, id)
	}
	errs := make([]error, len(looks))
	for i := range looks {
		errs[i] = b.keep(v, who.Most, &looks[i], now)
	}
	if len(v.looks) == 0 {
		b.end(v)
	}
	return errs
}

// keep begins a look of a visit, or prolongs it.
func (b *Board) keep(v *visit, most int, l *Look, now time.Time) error {
	known := v.looks[l.ID]
	switch {
	case b.off(l.ID):
		if known != nil {
			b.drop(v, l.ID)
		}
		return ErrOff
	case known != nil:
		if !now.Before(known.until) {
			known.since = now
		}
		if known.state != l.State {
			b.changed(v)
		}
		known.state, known.until = l.State, now.Add(l.lives())
		return nil
	case b.accounts[v.account] >= most:
		return ErrMany
	case b.looks >= b.bounds.Looks || b.bytes+sizeOf(l.ID) > b.bounds.Bytes:
		return ErrFull
	}
	since := b.sinceElsewhere(v.key, l.ID, now)
	b.add(v, l.ID, &look{state: l.State, since: since, until: now.Add(l.lives())})
	b.accounts[v.account]++
	return nil
}

// add puts a look where it is found.
func (b *Board) add(v *visit, id editlock.ID, l *look) {
	r := b.records[id]
	if r == nil {
		r = &record{looks: map[*visit]*look{}}
		b.records[id] = r
	}
	v.looks[id], r.looks[v] = l, l
	b.looks++
	b.bytes += sizeOf(id)
	b.changed(v)
}

// drop ends a look of a visit.
func (b *Board) drop(v *visit, id editlock.ID) {
	delete(v.looks, id)
	r := b.records[id]
	delete(r.looks, v)
	if len(r.looks) == 0 {
		delete(b.records, id)
	}
	if v.key.server == "" {
		if b.accounts[v.account]--; b.accounts[v.account] == 0 {
			delete(b.accounts, v.account)
		}
	}
	b.looks--
	b.bytes -= sizeOf(id)
	b.changed(v)
}

// end ends a visit.
func (b *Board) end(v *visit) {
	for id := range v.looks {
		b.drop(v, id)
	}
	delete(b.visits, v.key)
	b.bytes -= v.size()
}

// sweep lets go of what has ended.
func (b *Board) sweep(now time.Time) {
	b.swept = now
	for _, v := range b.visits {
		for id, l := range v.looks {
			if !b.lives(v, l, now) {
				b.drop(v, id)
			}
		}
		if len(v.looks) == 0 {
			b.end(v)
		}
	}
}

// lives reports whether a look has not ended.
func (b *Board) lives(v *visit, l *look, now time.Time) bool {
	if v.key.server != "" {
		return b.sharing.lives(v.key.server, now)
	}
	return now.Before(l.until)
}

// Usage is what a Board holds.
type Usage struct{ Looks, Pages, Records, Bytes int }

// Usage tells what the Board holds, with what has ended and was not let go of.
func (b *Board) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Usage{Looks: b.looks, Pages: len(b.visits), Records: len(b.records), Bytes: b.bytes}
}
