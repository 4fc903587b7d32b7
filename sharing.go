package editlock

import (
	"slices"
	"time"

	"github.com/editlock/editlock/store"
)

// Sharing says who may hold a mutex beside its holder.
type Sharing uint8

// The sharings.
const (
	// SharingUnset is Exclusive for a new hold, and leaves the caller's own
	// unchanged.
	SharingUnset Sharing = iota
	// Exclusive shares with nobody.
	Exclusive
	// Shared shares with all who hold the mutex shared, too.
	Shared
)

// MaxHolders is the largest number of holders that a limit may allow.
const MaxHolders = 10_000

// HolderLimit fixes how many owners may hold a mutex of a group and mode at once,
// whatever captures say.
type HolderLimit struct {
	Group, Mode string
	Holders     int // 1 to MaxHolders
}

func (o CaptureOptions) checkSharing() error {
	switch {
	case o.Sharing > Shared:
		return invalid("sharing", "unknown_sharing", "%d is not known; exclusive and shared are", uint8(o.Sharing))
	case o.Limit < 0 || o.Limit > MaxHolders:
		return invalid("limit", "out_of_range", "is %d; between %d and %d is allowed", o.Limit, 1, MaxHolders)
	case o.Limit > 0 && o.Sharing != SharingUnset:
		return invalid("limit", "limit_with_sharing", "goes without sharing: those who hold within a limit share it already")
	}
	return nil
}

// limited applies the limits of the Manager to what a capture asks for.
func (m *Manager) limited(c *capture, id ID) error {
	i := slices.IndexFunc(m.opts.Limits, func(l HolderLimit) bool { return l.Group == id.Group && l.Mode == id.Mode })
	if i < 0 {
		return nil
	}
	if c.opts.Sharing != SharingUnset {
		return invalid("sharing", "limited_by_server", "must be absent here: at most %d may hold a mutex of this group and mode", m.opts.Limits[i].Holders)
	}
	c.opts.Limit, c.resize = m.opts.Limits[i].Holders, true
	return nil
}

// share is the share of a new hold.
func (o CaptureOptions) share() store.Share {
	switch {
	case o.Limit > 0:
		return store.Share(o.Limit)
	case o.Sharing == Shared:
		return store.Shared
	}
	return store.Alone
}

// keeps reports whether a capture leaves the share of the caller's own hold as it is.
func (o CaptureOptions) keeps(share store.Share) bool {
	return o.Limit == 0 && o.Sharing == SharingUnset || o.share() == share
}

// sharing is how a share is told: a sharing, or a limit.
func sharing(s store.Share) (Sharing, int) {
	switch {
	case s > 0:
		return SharingUnset, int(s)
	case s == store.Shared:
		return Shared, 0
	}
	return Exclusive, 0
}

// agreed is the share in force where a hold stands: a Manager's limit may have taken
// the place of the one that it began with.
func agreed(rec *store.Record) store.Share {
	if rec.Agreed > 0 {
		return rec.Agreed
	}
	return rec.Share
}

// conflict tells how a mutex is held.
func conflict(rec *store.Record, now time.Time) *ConflictError {
	e := &ConflictError{Holder: mutex(rec, now)}
	e.Holder.Sharing, e.Holder.Limit = sharing(agreed(rec))
	return e
}

// mixes reports whether what a capture asks for goes with a hold that stands.
func (c capture) mixes(rec *store.Record) bool {
	return agreed(rec).Mixes(c.opts.share(), c.resize)
}

// room reports whether a hold beside one that stands may begin.
func (c capture) room(rec *store.Record) bool {
	return rec.Waiting == 0 && c.mixes(rec) && c.opts.share().Room(agreed(rec), rec.Beside+1)
}

// holdings are a record and those beside it.
func holdings(rec *store.Record) []*store.Record {
	return append([]*store.Record{rec}, rec.Others...)
}

// began is the hold that a request began, if it is known: a session has several
// where it waited several times. Else it is rec.
func began(rec *store.Record, request string) *store.Record {
	if rec == nil || request == "" || rec.Request == request {
		return rec
	}
	for _, r := range rec.Others {
		if r.Request == request {
			other := *r
			other.Waiters, other.Waiting = rec.Waiters, rec.Waiting
			return &other
		}
	}
	return rec
}

// among is the hold of the caller's that a condition by status data means, where they
// have several of one mutex. Else it is rec.
func (c Condition) among(rec *store.Record, caller Owner) *store.Record {
	if c.kind != ifStatusData || rec == nil || rec.Data == c.statusData {
		return rec
	}
	for _, r := range rec.Others {
		if r.Holder.Session == caller.key() && r.Data == c.statusData {
			return r
		}
	}
	return rec
}

// asked is the newest of the holds that a waiter asks to end, and when the last of
// their holders has promised to give way; 0: one has not, or gives way to no such
// waiter by itself.
func asked(rec *store.Record, by Owner) (newest uint64, after time.Duration) {
	all := rec.Beside == len(rec.Others)
	for _, r := range holdings(rec) {
		newest = max(newest, r.Token)
		holder, promised := owner(r.Holder)
		after, all = max(after, promised), all && promised > 0 && by.MayEnd(holder)
	}
	if !all {
		return newest, 0
	}
	return newest, after
}
