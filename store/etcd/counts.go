package etcd

import (
	"slices"
	"strings"

	"github.com/editlock/editlock/store/kv"
)

const (
	// firstKeys is how many keys under a prefix are read first, and widen how many
	// times more if these don't tell: there may be a hundred thousand.
	firstKeys, widen = 64, 8
	// usedKeys is how many are read again if they are no longer what they were.
	usedKeys = 512
	// firstRows is the same for rows that are found by a tag, each by itself.
	firstRows = 8
	// dueStep are the microseconds up to which what is due soon is read with what is
	// due, so that one reading serves some tries.
	dueStep = 1 << 20
)

// crowded reports whether more rows are under a prefix than are compared. It is read
// after the commit then.
func (s *step) crowded(prefix string) bool {
	of := under(s.view.e.keys.row(prefix), firstKeys)
	if !kv.IsGroup(prefix) && s.view.spans[of.whole()] == nil && s.view.e.known.under(of.key).keys != nil {
		return true // as it was last
	}
	found := s.span(of, kv.IsGroup(prefix))
	return found.more || len(found.keys) > maxKept
}

// counts reports whether a condition holds that counts rows. Of many rows it uses only
// those that show that it does not.
func (s *step) counts(c *kv.Cond) bool {
	before := s.unknown
	s.unknown = false // what is unknown here
	defer func() { s.unknown = s.unknown || before }()
	if c.NoneDue {
		return s.noneDue(c.Prefix)
	}
	n := 0
	count := func(r *row) (tooMany bool) {
		if r != nil && (c.Tag == "" || slices.Contains(r.Tags, c.Tag)) && s.lives(r) && (c.Due || r.Live(s.now)) {
			n++
		}
		return n > c.AtMost
	}
	of := under(s.view.e.keys.row(c.Prefix), 0)
	if keys := s.view.e.known.under(of.key).keys; c.Tag == "" && len(keys) > c.AtMost && s.view.spans[of] == nil {
		if slices.ContainsFunc(keys, func(key string) bool { return count(s.stored(key, false)) }) || s.unknown {
			return false // as it was last
		}
	}
	for wider := 1; ; wider *= widen {
		n = 0
		of.limit = max(firstKeys*wider, c.AtMost+2)
		found := &span{more: true}
		if c.Prefix != "" || c.Tag == "" {
			found = s.span(of, kv.IsGroup(c.Prefix))
		}
		if !found.more {
			return !slices.ContainsFunc(found.rows, count)
		}
		if c.Tag != "" {
			found = s.span(under(s.view.e.keys.tag(c.Tag)+c.Prefix, max(firstRows*wider, c.AtMost+2)), false)
		}
		for _, key := range found.keys {
			if count(s.stored(c.Prefix+key, false)) {
				return false
			}
		}
		if !found.more || s.unknown {
			return !s.unknown
		}
	}
}

// noneDue reports whether no row under a prefix is due. Among many rows it is those
// that are due anywhere which are looked at.
func (s *step) noneDue(prefix string) bool {
	k := s.view.e.keys
	if found := s.span(under(k.row(prefix), firstKeys), kv.IsGroup(prefix)); !found.more {
		return !slices.ContainsFunc(found.rows, func(r *row) bool { return s.lives(r) && !r.Live(s.now) })
	}
	until := (micros(s.now)/dueStep + 1) * dueStep
	for limit := firstKeys; ; limit *= widen {
		found := s.span(fact{k.dues(), k.due(until, ""), limit}, false)
		for _, key := range found.keys {
			if key = key[numberLen:]; !strings.HasPrefix(key, prefix) {
				continue
			}
			if r := s.get(key, false); r != nil && !r.Live(s.now) {
				return false
			}
		}
		if !found.more || s.unknown {
			return !s.unknown
		}
	}
}
