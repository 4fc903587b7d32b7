package editlock

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

const (
	// watchEvery is how late a watcher notices what no news told of.
	watchEvery = 2 * time.Second
	// watchPause is between two growths that watchers are woken for: what comes
	// meanwhile is told together. With many watchers of a busy store, to
	// wake all of them for each entry would cost more than its locks do.
	watchPause = 25 * time.Millisecond
	// watchPauseEach is that pause for each watcher, if that is longer: so all watchers
	// together are woken 20,000 times a second.
	watchPauseEach = 50 * time.Microsecond
	// tailKeep is how many of the latest entries all watchers share, at least;
	// who lags twice as far behind reads the log.
	tailKeep = 1024
	// logPage is how many entries are read at a time.
	logPage = 500
)

// tail follows the end of the log once for all watchers of this process.
type tail struct {
	store store.Store
	ctx   context.Context // ends with the Manager
	news  chan struct{}

	mu       sync.Mutex
	watchers int
	follows  bool
	grew     chan struct{} // closed when recent grows
	told     time.Time     // when it last did
	recent   []Event       // all entries from+1 … to
	from, to uint64
	known    uint64   // the latest end of the log that a watcher began at
	cuts     []uint64 // where the log ended each time that the store lost its end
}

func (t *tail) init(ctx context.Context, st store.Store) {
	t.store, t.ctx = st, ctx
	t.news, t.grew = make(chan struct{}, 1), make(chan struct{})
}

// wake says that the log grew.
func (t *tail) wake() {
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// enter registers a watcher; the first one starts the follower, at the
// present end of the log. It returns how often that was lost before.
func (t *tail) enter(last uint64) (lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watchers++
	if !t.follows {
		t.follows = true
		t.recent, t.from, t.to, t.known = nil, last, last, last
		go t.follow()
	}
	t.known = max(t.known, last)
	return len(t.cuts)
}

func (t *tail) exit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watchers--
}

// follow reads what is new into recent until nobody watches.
func (t *tail) follow() {
	check := time.NewTicker(watchEvery)
	defer check.Stop()
	for {
		for t.pull() {
		}
		select {
		case <-t.ctx.Done():
			return
		case <-t.news:
		case <-check.C:
		}
		t.mu.Lock()
		if t.watchers == 0 {
			t.follows = false
			t.mu.Unlock()
			return
		}
		pause := time.Until(t.told.Add(max(watchPause, time.Duration(t.watchers)*watchPauseEach)))
		t.mu.Unlock()
		select {
		case <-t.ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// pull reads one page of news; true if there may be more.
func (t *tail) pull() bool {
	t.mu.Lock()
	after, known := t.to, t.known
	t.mu.Unlock()
	page, err := t.store.Log(t.ctx, store.LogQuery{After: after, Limit: logPage})
	if err != nil {
		return false
	}
	full := len(page.Entries) == logPage
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to != after {
		return true // another follower was quicker
	}
	if page.Last < max(t.to, known) {
		t.recent, t.from, t.to, t.known = nil, page.Last, page.Last, page.Last
		t.cuts = append(t.cuts, page.Last)
		t.tell()
		return true
	}
	if page.Floor > t.to {
		t.recent, t.from = nil, page.Floor
	}
	t.recent = append(t.recent, entries(page.Entries)...)
	if full {
		t.to = page.Entries[logPage-1].Seq
	} else {
		t.to = max(t.to, page.Last)
	}
	// Watchers still read the slice, so that it is copied, but not each time.
	if n := len(t.recent) - tailKeep; n >= tailKeep {
		t.from = t.recent[n-1].Seq
		t.recent = append([]Event(nil), t.recent[n:]...)
	}
	if len(page.Entries) > 0 {
		t.tell()
	}
	return full
}

// entries are those that tell of mutexes, decoded once for all watchers.
func entries(raw []store.LogEntry) []Event {
	all := make([]Event, 0, len(raw))
	for i := range raw {
		if raw[i].Name != cursorKey && raw[i].Kind != store.KindRevoked {
			all = append(all, entry(raw[i]))
		}
	}
	return all
}

// tell wakes the watchers. The caller holds mu.
func (t *tail) tell() {
	close(t.grew)
	t.grew, t.told = make(chan struct{}), time.Now()
}

// lostEnd reports whether the store lost the log's end since a watcher knew of
// so many times, as by a failover to a copy that lags, and where it ended then:
// it may have grown beyond what a slow watcher knew.
func (t *tail) lostEnd(known *int) (end uint64, yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cuts := t.cuts[*known:]
	*known = len(t.cuts)
	if len(cuts) == 0 {
		return 0, false
	}
	return slices.Min(cuts), true
}

// after returns the shared entries behind a cursor and the new cursor, and
// what is closed when there are more. reached is false for one that lags
// behind what is shared.
func (t *tail) after(cursor uint64) (recent []Event, next uint64, grew <-chan struct{}, reached bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cursor < t.from {
		return nil, cursor, nil, false
	}
	i := len(t.recent)
	for i > 0 && t.recent[i-1].Seq > cursor {
		i--
	}
	return t.recent[i:], max(cursor, t.to), t.grew, true
}

// Watch implements Locker.
func (m *Manager) Watch(ctx context.Context, q WatchQuery) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := m.watch(ctx, q, yield); err != nil {
			yield(Event{}, err)
		}
	}
}

// watch yields events until the loop breaks (nil) or something ends it.
func (m *Manager) watch(ctx context.Context, q WatchQuery, yield func(Event, error) bool) error {
	if err := q.validate(); err != nil {
		return err
	}
	end, err := m.store.Log(ctx, store.LogQuery{After: 1<<63 - 1, Limit: 1})
	if err != nil {
		return m.storeError(ctx, err)
	}
	cursor := end.Last
	if q.After != nil {
		if *q.After > end.Last {
			return invalid("after", "in_the_future", "is %d, which is in the future; the latest event is %d", *q.After, end.Last)
		}
		cursor = *q.After
	}
	lost := m.tail.enter(end.Last)
	defer m.tail.exit()
	for lagged := false; ; {
		if end, yes := m.tail.lostEnd(&lost); yes && end < cursor {
			// What was told may not have happened.
			if !yield(Event{Seq: end, Kind: KindGap}, nil) {
				return nil
			}
			cursor = end
		}
		behind := lagged
		recent, next, grew, reached := m.tail.after(cursor)
		lagged = !reached
		if !reached {
			var page store.LogPage
			err := m.searches.piece(ctx, behind, func() (err error) {
				page, err = m.store.Log(ctx, store.LogQuery{After: cursor, Limit: logPage})
				return err
			})
			if err != nil {
				return m.storeError(ctx, err)
			}
			if cursor < page.Floor && !yield(Event{Seq: page.Floor, Kind: KindGap}, nil) {
				return nil
			}
			recent, next = entries(page.Entries), max(page.Floor, page.Last)
			if len(page.Entries) == logPage {
				next = page.Entries[logPage-1].Seq
			}
		}
		for i := range recent {
			if q.matches(&recent[i]) && !yield(recent[i], nil) {
				return nil
			}
		}
		cursor = next
		if len(recent) > 0 || !reached {
			continue
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return ended(ctx)
		case <-m.tail.ctx.Done():
			return unavailable(store.ErrClosed)
		}
	}
}

func (q WatchQuery) validate() error {
	return firstError(
		checkScope(q.ID, q.Tree),
		checkText("group", q.Group, MaxGroup), checkText("mode", q.Mode, MaxMode),
		checkText("session", q.Session, MaxOwnerField),
	)
}

func (q *WatchQuery) matches(e *Event) bool {
	return (q.ID == nil || e.ID == *q.ID || q.Tree && q.ID.isAbove(e.ID)) &&
		(q.Group == "" || e.ID.Group == q.Group) &&
		(q.Mode == "" || e.ID.Mode == q.Mode) &&
		(q.Session == "" || e.Owner.Session == q.Session || e.Actor.Session == q.Session || e.Other.Session == q.Session)
}
