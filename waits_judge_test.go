package editlock_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/patience"
	"github.com/editlock/editlock/store"
)

// judge stands between the servers and their store. After each step it checks what
// must be true of the queue and the holder, in the light of what it knows of callers
// and troubles.
type judge struct {
	store.Store

	mu       sync.Mutex
	begun    time.Time
	callers  []*known
	waiters  map[string]*known
	ranks    int
	token    uint64       // of the holder seen last
	step     store.Action // under way
	troubles [2][]*trouble
	bargers  map[uint64]editlock.Mutex
	waited   map[string]bool // in the queue, as seen last
	told     []string
	wrong    string
}

// trouble is a time in which a server can't do its work.
type trouble struct {
	from, to time.Time // zero: it lasts
	long     bool      // its lease may end
	restart  bool
}

// doing is what a caller is up to.
type doing uint8

const (
	waits doing = iota
	vanishes
	withdraws
	ends // it had the mutex
)

// known is what the judge knows of a caller.
type known struct {
	name   string
	waiter string
	doing  doing
	asking int       // requests under way
	asked  time.Time // when the last began
	left   time.Time // when the last ended at the server that keeps its place
	ended  time.Time // when any did last
	at     int       // the server of the last
	been   [2]bool   // the servers asked since it joined

	rank    int // its order among those who joined; 0: it has not
	oldest  int // rank that it may have still
	joined  time.Time
	granted time.Time
	token   uint64    // of the grant
	took    bool      // it confirms, or its request took the mutex, free, as any capture does
	gaveUp  time.Time // acknowledged
	home    int       // the server that keeps its place
	strayed bool      // it asked the other one since, which may be able to do nothing
}

func (j *judge) init(st store.Store) {
	j.Store, j.begun = st, time.Now()
	j.waiters, j.bargers, j.waited = make(map[string]*known), make(map[uint64]editlock.Mutex), make(map[string]bool)
}

// tell writes a line of the story. The caller holds mu or is alone.
func (j *judge) tell(format string, args ...any) {
	if j.wrong != "" {
		return
	}
	j.told = append(j.told, fmt.Sprintf("%8.3f ", time.Since(j.begun).Seconds())+fmt.Sprintf(format, args...))
}

func (j *judge) fault(format string, args ...any) {
	if j.wrong == "" {
		j.wrong = fmt.Sprintf("after %v: ", time.Since(j.begun)) + fmt.Sprintf(format, args...)
	}
}

func (j *judge) meet(k *known) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.callers = append(j.callers, k)
}

// trouble begins at a server; over ends it.
func (j *judge) trouble(n int, long bool, what string) (over func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("server %d: trouble: %s", n, what)
	t := &trouble{from: time.Now(), long: long, restart: what == "restart"}
	j.troubles[n] = append(j.troubles[n], t)
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		t.to = time.Now()
		j.tell("server %d: trouble over: %s", n, what)
	}
}

// troubled reports whether a server had a trouble since a time; only of some kind, if
// that is given.
func (j *judge) troubled(n int, since time.Time, of func(t *trouble) bool) bool {
	for _, t := range j.troubles[n] {
		if (t.to.IsZero() || t.to.After(since)) && (of == nil || of(t)) {
			return true
		}
	}
	return false
}

func isLong(t *trouble) bool    { return t.long }
func isRestart(t *trouble) bool { return t.restart }

// anywhere reports whether one of the servers that a caller asked had a trouble.
func (j *judge) anywhere(k *known, since time.Time, of func(t *trouble) bool) bool {
	return k.been[0] && j.troubled(0, since, of) || k.been[1] && j.troubled(1, since, of)
}

func (j *judge) asks(k *known, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	if !k.left.IsZero() && now.Sub(k.left) >= graceOf-500*time.Millisecond && k.granted.IsZero() && !j.waited[k.waiter] {
		k.rank = 0 // it was away for too long
	}
	if k.rank == 0 {
		k.been = [2]bool{}
	}
	if k.asked.IsZero() {
		k.home = n
	}
	k.strayed = k.strayed || k.home != n
	k.asking, k.asked, k.at, k.been[n] = k.asking+1, now, n, true
	j.tell("%s asks server %d", k.name, n)
}

func (j *judge) answered(k *known, n int, sent time.Time, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	k.asking--
	now := time.Now()
	k.ended = now
	if on := new(patience.Waiting); !k.strayed || err == nil || errors.As(err, &on) {
		k.home, k.strayed, k.left = n, false, now
	}
	j.tell("%s is answered by server %d: %v", k.name, n, err)
	if took := now.Sub(sent); took > 12*time.Second && !j.troubled(n, sent.Add(-3*time.Second), nil) {
		j.fault("%s had to wait %v for its answer", k.name, took)
	}
}

// failed says that a caller was told that a server is unavailable.
func (j *judge) failed(k *known, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.troubled(n, k.asked.Add(-5*time.Second), nil) {
		j.fault("%s found server %d unavailable", k.name, n)
	}
}

// refused says that a caller was told that its wait is over.
func (j *judge) refused(k *known, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	k.doing = ends
	switch {
	case !errors.Is(err, editlock.ErrLost):
		j.fault("%s was told %v", k.name, err)
	case k.granted.IsZero():
		j.fault("%s was told %v, and never held it", k.name, err)
	case k.asked.Before(k.granted.Add(confirmOf-time.Second)) && !j.anywhere(k, k.granted.Add(-5*time.Second), nil):
		j.fault("%s was told %v, and came back in time: it was granted at %v", k.name, err, k.granted.Sub(j.begun))
	}
}

func (j *judge) takesUp(k *known, got editlock.Mutex) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s takes up token %d", k.name, got.Token)
	k.took = true
	if k.token != uint64(got.Token) {
		j.fault("%s got token %d, but was granted %d", k.name, got.Token, k.token)
	}
}

func (j *judge) holds(k *known, got editlock.Mutex) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s holds by token %d", k.name, got.Token)
}

func (j *judge) does(k *known, what doing) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s: %s", k.name, [...]string{"waits", "vanishes", "withdraws", "ends"}[what])
	k.doing = what
}

func (j *judge) withdrew(k *known, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s has withdrawn at server %d", k.name, n)
	k.gaveUp = time.Now()
}

func (j *judge) barged(got editlock.Mutex) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("%s barged: token %d", got.Owner.Session, got.Token)
	j.bargers[uint64(got.Token)] = got
}

// quiet says that from now on nobody asks, and nothing goes wrong.
func (j *judge) quiet() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tell("all have gone")
}

// rest checks that nothing is left long after.
func (j *judge) rest() {
	j.mu.Lock()
	defer j.mu.Unlock()
	view, err := j.Store.Get(context.Background(), report.String(), "")
	if err != nil || view.Record != nil {
		j.fault("in the end %+v holds, %v", view.Record, err)
	}
}

// Commit implements store.Store.
func (j *judge) Commit(ctx context.Context, req store.Txn) (store.Result, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.look() // what the clock did
	sw := &req.Ops[0]
	if sw.Do == store.Join {
		j.know(sw.Waiter.ID, sw.Waiter.Data)
	} else if sw.Do == store.Acquire && *sw.Data != "" {
		j.know(req.ID, *sw.Data)
	}
	j.step = sw.Do
	res, err := j.Store.Commit(ctx, req)
	if sw.Waiter != nil && j.waiters[sw.Waiter.ID] != nil {
		k := j.waiters[sw.Waiter.ID]
		if sw.Do == store.Join && res.Done && k.strayed {
			k.home, k.strayed = k.at, false
		}
		j.tell("  %s %s: %v", k.name, map[store.Action]string{store.Join: "joins", store.Leave: "leaves"}[sw.Do], res.Done)
	} else if sw.Do != store.Acquire || res.Done {
		j.tell("  step %d: %v", sw.Do, res.Done)
	}
	j.look()
	j.step = 0
	return res, err
}

func (j *judge) know(waiter, name string) {
	for _, k := range j.callers {
		if k.name == name {
			j.waiters[waiter], k.waiter = k, waiter
		}
	}
}

// KeepAlive implements store.Store.
func (j *judge) KeepAlive(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	ids, err := j.Store.KeepAlive(ctx, process, ttl)
	j.tell("  beat of %s: %d wait", process[len(process)-4:], len(ids))
	j.look()
	return ids, err
}

// Sweep implements store.Store.
func (j *judge) Sweep(ctx context.Context, keep store.Retention) (time.Duration, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	due, err := j.Store.Sweep(ctx, keep)
	j.look()
	return due, err
}

// look checks what stands in the store. The caller holds mu.
func (j *judge) look() {
	view, err := j.Store.Get(context.Background(), report.String(), "")
	if err != nil {
		j.fault("the judge can't look: %v", err)
		return
	}
	now, rec, in := time.Now(), view.Record, make(map[string]bool)
	if rec == nil { // then who waits is not told, and soon holds it
		return
	}
	for _, t := range rec.Waiters {
		in[t.ID] = true
		if k := j.waiters[t.ID]; k.rank == 0 || k.strayed && !j.waited[t.ID] {
			j.ranks++
			k.rank, k.joined = j.ranks, now
			k.oldest = cmp.Or(k.oldest, k.rank)
		}
		j.waiting(j.waiters[t.ID], now)
	}
	if len(rec.Waiters) != rec.Waiting {
		j.fault("the story is too large")
	}
	j.holding(rec, now)
	for waiter, k := range j.waiters {
		if j.waited[waiter] && !in[waiter] {
			j.tell("    %s no longer waits", k.name)
			if k.granted.IsZero() && j.anywhere(k, now.Add(-confirmOf), isRestart) {
				k.rank = 0 // its place ended with the process
			}
		}
		if !in[waiter] && k.entitled(now) && !j.anywhere(k, now.Add(-confirmOf), nil) {
			j.fault("%s lost its place, which it joined at %v, and keeps asking", k.name, k.joined.Sub(j.begun))
		}
	}
	j.waited = in
}

// entitled reports whether a caller has a place to which it may come back.
func (k *known) entitled(now time.Time) bool {
	return k.doing == waits && k.rank > 0 && k.granted.IsZero() &&
		(k.asking > 0 && !k.strayed || now.Sub(k.left) < graceOf-500*time.Millisecond)
}

// waiting checks a waiter in the queue.
func (j *judge) waiting(k *known, now time.Time) {
	if !j.waited[k.waiter] {
		j.tell("    %s waits", k.name)
	}
	if k.asking == 0 && now.Sub(k.ended) > graceOf+5*time.Second && !j.anywhere(k, now.Add(-confirmOf-5*time.Second), nil) {
		j.fault("%s waits, and went away at %v", k.name, k.ended.Sub(j.begun))
	}
	j.withdrawn(k)
}

// withdrawn checks that a caller who withdrew has nothing any more, whichever server
// it told, and whatever requests of its own are on the way still.
func (j *judge) withdrawn(k *known) {
	if !k.gaveUp.IsZero() {
		j.fault("%s has withdrawn at %v, and holds or waits", k.name, k.gaveUp.Sub(j.begun))
	}
}

// holding checks the holder.
func (j *judge) holding(rec *store.Record, now time.Time) {
	k := j.waiters[rec.Request]
	if rec.Token != j.token {
		j.token = rec.Token
		j.tell("    %s is granted token %d until %v", rec.Holder.Session, rec.Token, rec.Expires.Sub(j.begun))
		j.inTurn(k, rec, now)
		if k != nil {
			if !k.granted.IsZero() {
				j.fault("%s is granted it twice", k.name)
			}
			k.granted, k.token = now, rec.Token
			k.took = j.step == store.Acquire && k.asking > 0
		}
	}
	if got, is := j.bargers[rec.Token]; is && !rec.Expires.Equal(got.ExpiresAt) {
		j.fault("the hold of %s ends at %v, but was for 7s", rec.Holder.Session, rec.Expires.Sub(j.begun))
	}
	if k == nil {
		return
	}
	if !k.took && rec.Expires.Sub(rec.Acquired) > confirmOf {
		j.fault("%s was granted it until %v, and does not know", k.name, rec.Expires.Sub(j.begun))
	}
	j.withdrawn(k)
}

// inTurn checks that nobody who has a better claim still waits. k is nil if who gets
// it did not wait.
func (j *judge) inTurn(k *known, rec *store.Record, now time.Time) {
	if j.step == store.Acquire && k != nil && k.asking > 0 && j.troubled(k.at, k.asked, isLong) {
		return // it asked for the mutex before the trouble ended
	}
	for _, other := range j.callers {
		if other == k || !other.entitled(now) || k != nil && k.oldest > 0 && k.oldest < other.rank {
			continue
		}
		kept := !j.anywhere(other, other.joined, isLong)
		together := k != nil && other.been == k.been && other.been[0] != other.been[1] && !j.anywhere(other, other.joined, isRestart)
		if kept || together {
			j.fault("%s gets it; %s waits since %v, kept its lease: %v", rec.Holder.Session, other.name, other.joined.Sub(j.begun), kept)
		}
	}
}
