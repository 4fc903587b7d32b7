package webui

import (
	"cmp"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/editlock/editlock"
)

// The columns that the list can be ordered by, and the order that each has until
// it is turned round.
const (
	byName    = ""        // A to Z
	byWho     = "who"     // A to Z
	bySince   = "since"   // held longest first
	byUntil   = "until"   // soonest to end first
	byWaiting = "waiting" // most waited for first
)

// turned is before a column in an address whose order is turned round. The name
// is written out there.
const (
	turned     = "-"
	turnedName = turned + "name"
)

// order is the locks of a scan by a column, then by name and token. It is made once, when
// it is first asked for, and shared by all readers.
type order struct {
	once  sync.Once
	locks []*lock
}

func newOrders() map[string]*order {
	return map[string]*order{byWho: {}, bySince: {}, byUntil: {}, byWaiting: {}}
}

func (s *scan) by(column string) []*lock {
	o := s.orders[column]
	if o == nil {
		return s.locks
	}
	o.once.Do(func() {
		ranks := make([]rank, len(s.locks))
		for i, l := range s.locks {
			ranks[i] = rankOf(column, l)
		}
		o.locks = slices.Clone(s.locks)
		slices.SortStableFunc(o.locks, func(a, b *lock) int { return ranks[a.at].compare(ranks[b.at]) })
	})
	return o.locks
}

// rank is what a column orders by: a number or a text.
type rank struct {
	n    int64
	text string
}

func (r rank) compare(other rank) int {
	if c := cmp.Compare(r.n, other.n); c != 0 {
		return c
	}
	return strings.Compare(r.text, other.text)
}

func rankOf(column string, l *lock) rank {
	switch column {
	case byWho:
		return rank{text: fold(l.Owner.Label())}
	case bySince:
		return rank{n: l.CapturedAt.UnixNano()}
	case byUntil:
		if l.ExpiresAt.IsZero() {
			return rank{n: math.MaxInt64}
		}
		return rank{n: l.ExpiresAt.UnixNano()}
	case byWaiting:
		return rank{n: -int64(l.Waiting)}
	}
	return rank{}
}

// position is where a lock stands in an order, even if it is gone by the time the
// next page is asked for. Only locks that a reader was shown make positions.
type position struct {
	rank
	name  string
	token editlock.Token // 0: behind all who hold the name
}

func (p position) String() string {
	return strconv.FormatInt(p.n, 36) + "~" + strconv.FormatUint(uint64(p.token), 36) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(p.text)) + "." + p.name
}

func parsePosition(text string) (p position, ok bool) {
	numbers, rest, _ := strings.Cut(text, ".")
	label, name, ok := strings.Cut(rest, ".")
	number, last, hasToken := strings.Cut(numbers, "~")
	n, err := strconv.ParseInt(number, 36, 64)
	if !ok || err != nil {
		return position{}, false
	}
	token := uint64(0)
	if hasToken {
		if token, err = strconv.ParseUint(last, 36, 64); err != nil {
			return position{}, false
		}
	}
	data, err := base64.RawURLEncoding.DecodeString(label)
	return position{rank{n, string(data)}, name, editlock.Token(token)}, err == nil
}

func (p position) compare(l *lock, column string) int {
	if c := p.rank.compare(rankOf(column, l)); c != 0 {
		return c
	}
	if c := strings.Compare(p.name, l.Name); c != 0 || p.token == 0 {
		return c
	}
	return cmp.Compare(p.token, l.Token)
}
