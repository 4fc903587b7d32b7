package presence

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/editlock/editlock"
)

// Link carries texts between the servers that share a store. Texts may be lost,
// and arrive at their sender too.
type Link interface {
	Broadcast(ctx context.Context, text string) error
	// Receive calls f for each text, one at a time, until stop is called.
	Receive(f func(text string)) (stop func())
}

const (
	// castEvery is how often a server tells others what has changed, in at most
	// castsAtOnce texts of about castBytes: what is more waits.
	castEvery   = time.Second
	castBytes   = 6000
	castsAtOnce = 16
	// aliveEvery is how often a server says that it lives, and aliveFor how long it
	// is believed: with it goes who looks there.
	aliveEvery = 5 * time.Second
	aliveFor   = 16 * time.Second
	// askEvery is how often at most a server asks for all that another knows.
	askEvery = 5 * time.Second
)

// sharing is what a Board knows of other servers, and has to tell them.
type sharing struct {
	name  string            // of this server, new at each start
	sent  uint64            // the number of the last text
	dirty map[visitKey]bool // what to tell of; true: the page has left
	asked bool              // another server wants to be told all
	all   int               // how many tellings of all have begun
	tells bool              // one is under way
	rest  []visitKey        // what of it is still to be told
	ask   bool              // whether to ask for all
	last  time.Time         // when it was asked for
	quiet time.Time         // when something was sent last
	peers map[string]*peer
}

// peer is another server.
type peer struct {
	heard time.Time
	last  uint64           // the number of the last text
	all   int              // its latest telling of all
	known map[visitKey]int // its visits, by the telling since which they are known
}

func (s *sharing) lives(server string, now time.Time) bool {
	p := s.peers[server]
	return p != nil && now.Sub(p.heard) < aliveFor
}

// text is what a server tells the others. Names are short: there may be many.
type text struct {
	Server string  `json:"s"`
	Number uint64  `json:"n"`
	Ask    bool    `json:"a,omitempty"` // for all that others know
	All    int     `json:"f,omitempty"` // a part of a telling of all
	End    bool    `json:"e,omitempty"` // the last one
	Visits []shown `json:"v,omitempty"`
}

// shown is a visit as others are told of it. One without looks has ended.
type shown struct {
	Page    string    `json:"p"`
	Session string    `json:"s"`
	User    string    `json:"u,omitempty"`
	Login   string    `json:"l,omitempty"`
	Name    string    `json:"n,omitempty"`
	Left    bool      `json:"x,omitempty"` // the page said so
	Looks   []lookNow `json:"k,omitempty"`

	Kind       editlock.OwnerKind `json:"o,omitzero"`
	OnBehalfOf string             `json:"b,omitempty"`
}

type lookNow struct {
	Group string `json:"g,omitempty"`
	Mode  string `json:"m,omitempty"`
	ID    string `json:"i"`
	Part  string `json:"p,omitempty"`
	State int    `json:"s,omitempty"`
	Since int64  `json:"t"`
}

// Share tells the servers at a link who looks here, and hears of those who look
// there, until ctx ends. It is called once.
func (b *Board) Share(ctx context.Context, link Link) {
	b.mu.Lock()
	now := time.Now()
	b.sharing = &sharing{name: rand.Text()[:12], dirty: map[visitKey]bool{}, peers: map[string]*peer{}, ask: true, asked: true, quiet: now}
	b.mu.Unlock()
	stop := link.Receive(b.hear)
	defer stop()
	tick := time.NewTicker(castEvery)
	defer tick.Stop()
	for {
		for _, t := range b.news() {
			_ = link.Broadcast(ctx, t) // what is lost, others ask for
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// changed notes that a visit has to be told of.
func (b *Board) changed(v *visit) {
	if s := b.sharing; s != nil && v.key.server == "" {
		s.dirty[v.key] = false
	}
}

// left notes that a page is gone, which it may have said to another server than
// the one that it was known to.
func (b *Board) left(key visitKey) {
	s := b.sharing
	if s == nil {
		return
	}
	s.dirty[key] = true
	for name := range s.peers {
		if v := b.visits[visitKey{name, key.session, key.page}]; v != nil {
			b.end(v)
		}
	}
}

// sinceElsewhere is since when a page looks at a record, as another server knows.
func (b *Board) sinceElsewhere(key visitKey, id editlock.ID, now time.Time) time.Time {
	if b.sharing == nil {
		return now
	}
	since := now
	for name := range b.sharing.peers {
		if v := b.visits[visitKey{name, key.session, key.page}]; v != nil && v.looks[id] != nil && v.looks[id].since.Before(since) {
			since = v.looks[id].since
		}
	}
	return since
}

// news are the texts to send now.
func (b *Board) news() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, now := b.sharing, time.Now()
	if now.Sub(b.swept) >= sweepEvery {
		b.sweep(now)
	}
	var out []string
	for len(out) < castsAtOnce {
		t := text{Server: s.name}
		size := 0
		put := func(key visitKey, left bool) {
			one := b.show(key, left)
			t.Visits = append(t.Visits, one)
			size += one.size()
		}
		switch {
		case len(s.dirty) > 0:
			for key, left := range s.dirty {
				if size > castBytes {
					break
				}
				put(key, left)
				delete(s.dirty, key)
			}
		case s.asked || s.tells:
			if !s.tells {
				s.asked, s.tells = false, true
				s.all++
				for key := range b.visits {
					if key.server == "" {
						s.rest = append(s.rest, key)
					}
				}
			}
			t.All = s.all
			for len(s.rest) > 0 && size <= castBytes {
				put(s.rest[0], false)
				s.rest = s.rest[1:]
			}
			if len(s.rest) == 0 {
				t.End, s.tells, s.rest = true, false, nil
			}
		case s.ask && now.Sub(s.last) >= askEvery:
			t.Ask, s.ask, s.last = true, false, now
		case len(out) == 0 && now.Sub(s.quiet) >= aliveEvery:
		default:
			return out
		}
		s.sent++
		t.Number = s.sent
		s.quiet = now
		data, _ := json.Marshal(t) // texts and numbers: can't fail
		out = append(out, string(data))
	}
	return out
}

// show is a visit of this server as others are told of it.
func (b *Board) show(key visitKey, left bool) shown {
	v := b.visits[key]
	if v == nil {
		return shown{Page: key.page, Session: key.session, Left: left}
	}
	out := shown{Page: key.page, Session: key.session, User: v.owner.UserID, Login: v.owner.Login, Name: v.owner.Name}
	out.Kind, out.OnBehalfOf = v.owner.Kind, v.owner.OnBehalfOf
	for id, l := range v.looks {
		out.Looks = append(out.Looks, lookNow{id.Group, id.Mode, id.ID, id.Part, l.state.rank(), l.since.UnixMilli()})
	}
	return out
}

func (v *shown) size() int {
	n := 60 + len(v.Page) + len(v.Session) + len(v.User) + len(v.Login) + len(v.Name) + len(v.OnBehalfOf)
	for _, l := range v.Looks {
		n += 60 + len(l.Group) + len(l.Mode) + len(l.ID) + len(l.Part)
	}
	return n
}

// hear takes a text of another server. What makes no sense is left alone: a newer
// version may have written it.
func (b *Board) hear(data string) {
	var t text
	if json.Unmarshal([]byte(data), &t) != nil || t.Server == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s, now := b.sharing, time.Now()
	if t.Server == s.name {
		return
	}
	p := s.peers[t.Server]
	switch {
	case p == nil:
		p = &peer{known: map[visitKey]int{}}
		s.peers[t.Server] = p
		s.ask = s.ask || t.Number > 1
	case t.Number != p.last+1:
		s.ask = true
	}
	p.heard, p.last, p.all = now, t.Number, max(p.all, t.All)
	s.asked = s.asked || t.Ask
	for i := range t.Visits {
		b.heard(&t, p, &t.Visits[i], now)
	}
	if t.End {
		for key, all := range p.known {
			if all < t.All {
				b.forget(p, key)
			}
		}
	}
	for name, other := range s.peers {
		if now.Sub(other.heard) >= 2*aliveFor {
			for key := range other.known {
				b.forget(other, key)
			}
			delete(s.peers, name)
		}
	}
}

// heard takes what another server tells of a page.
func (b *Board) heard(t *text, p *peer, told *shown, now time.Time) {
	key, own := visitKey{t.Server, told.Session, told.Page}, visitKey{"", told.Session, told.Page}
	b.forget(p, key)
	if v := b.visits[own]; v != nil {
		if told.Left {
			b.end(v)
		} else if len(told.Looks) > 0 { // the page may speak to the other server from now on
			for _, l := range v.looks {
				if most := now.Add(TTL); l.until.After(most) {
					l.until = most
				}
			}
		}
	}
	if len(told.Looks) == 0 {
		return
	}
	v := &visit{
		key: key, looks: map[editlock.ID]*look{},
		owner: editlock.Owner{
			Session: told.Session, UserID: told.User, Login: told.Login, Name: told.Name, Kind: told.Kind, OnBehalfOf: told.OnBehalfOf,
		},
	}
	for _, l := range told.Looks {
		id := editlock.ID{Group: l.Group, Mode: l.Mode, ID: l.ID, Part: l.Part}
		if b.off(id) || l.State < 0 || l.State >= len(States) || b.looks >= b.bounds.Looks || b.bytes+sizeOf(id) > b.bounds.Bytes {
			continue
		}
		b.add(v, id, &look{state: States[l.State], since: time.UnixMilli(l.Since)})
	}
	if len(v.looks) > 0 {
		b.visits[key] = v
		b.bytes += v.size()
		p.known[key] = p.all
	}
}

// forget ends what another server told of a page.
func (b *Board) forget(p *peer, key visitKey) {
	if v := b.visits[key]; v != nil {
		b.end(v)
	}
	delete(p.known, key)
}

// Servers are the names of the others that are heard.
func (b *Board) Servers() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sharing == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(b.sharing.peers))
}
