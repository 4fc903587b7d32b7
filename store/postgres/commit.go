package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/internal/groupcommit"
)

const (
	// maxBatch and maxBatchBytes bound what shares a commit.
	maxBatch      = 256
	maxBatchBytes = 4 << 20

	// guardPatience is how long a swap waits for the transactions that guard
	// one of its names, if its caller waits as long; firstPause and lastPause
	// are how often it looks.
	guardPatience = 10 * time.Second
	firstPause    = time.Millisecond
	lastPause     = 50 * time.Millisecond
)

// ErrGuarded is the error of a swap that would end a hold in which a
// transaction that guards it has not ended for seconds.
var ErrGuarded = errors.New("postgres: a transaction that guards the mutex does not end")

// The states of a request, as editlock_swap returns them.
const (
	done     = 1
	replayed = 2
	guarded  = 3
)

// job is one request, to be done by the committer.
type job struct {
	groupcommit.Job
	req    *store.Request
	text   []byte // the request, as it is sent
	pause  time.Duration
	waited time.Duration // for guards

	res   store.Result
	state int
}

// Size implements groupcommit.Item.
func (j *job) Size() (swaps, bytes int) { return 1, len(j.text) }

// Swap implements store.Store.
func (s *Store) Swap(ctx context.Context, req store.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return store.Result{}, err
	}
	text, err := encode(req)
	if err != nil {
		return store.Result{}, err
	}
	j := &job{req: &req, text: text}
	if err := s.jobs.Do(ctx, j); err != nil {
		return store.Result{}, err
	}
	return j.res, nil
}

// perform sees to it that each job is done or fails for its own fault only.
func (s *Store) perform(jobs []*job) {
	err := s.commit(jobs)
	switch {
	case err == nil:
	case pgconn.SafeToRetry(err): // nothing was sent
		s.pool.Reset()
		err = s.commit(jobs)
	case disconnected(err):
		// Whether it was done is not known. What the log or a ticket would
		// tell again may be repeated. If all callers have gone, that is what
		// ended it, and the other connections are well.
		if slices.ContainsFunc(jobs, func(j *job) bool { return j.Context().Err() == nil }) {
			s.pool.Reset()
		}
		jobs = slices.DeleteFunc(jobs, func(j *job) bool {
			if repeatable(j.req) && j.Context().Err() == nil {
				return false
			}
			j.Finish(explain(err))
			return true
		})
		if len(jobs) == 0 {
			return
		}
		err = s.commit(jobs)
	}
	if err == nil {
		s.finish(jobs)
		return
	}
	if len(jobs) == 1 || disconnected(err) {
		for _, j := range jobs {
			j.Finish(explain(err))
		}
		return
	}
	for i, j := range jobs { // one of them is at fault: each gets its own try
		if j.Dropped() {
			continue
		}
		if err := s.commit(jobs[i : i+1]); err != nil {
			j.Finish(explain(err))
		} else {
			s.finish(jobs[i : i+1])
		}
	}
}

// repeatable reports whether a second try of a request is known as such.
func repeatable(req *store.Request) bool {
	logged := false
	for _, sw := range req.Swaps {
		logged = logged || sw.Do <= store.Drop && sw.Note != nil
	}
	return req.ID != "" && logged ||
		!slices.ContainsFunc(req.Swaps, func(sw store.Swap) bool { return sw.Do != store.Join })
}

// finish answers the callers. Jobs that met a guard are tried again later.
func (s *Store) finish(jobs []*job) {
	for _, j := range jobs {
		if j.state != guarded {
			j.Finish(nil)
			continue
		}
		if j.waited >= guardPatience {
			j.Finish(ErrGuarded)
			continue
		}
		j.pause = min(max(2*j.pause, firstPause), lastPause)
		j.waited += j.pause
		time.AfterFunc(j.pause, func() { s.jobs.Again(j) })
	}
}

// commit performs jobs in one transaction, all or none.
func (s *Store) commit(jobs []*job) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	// Steps of several callers: only all of them together may cut it short.
	var waiting atomic.Int64
	waiting.Store(int64(len(jobs)))
	for _, j := range jobs {
		stop := context.AfterFunc(j.Context(), func() {
			if waiting.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
		j.res = store.Result{Records: make([]*store.Record, 0, len(j.req.Swaps))}
	}
	query, args := s.call(jobs)
	var text []byte
	if err := s.pool.QueryRow(ctx, query, args...).Scan(&text); err != nil {
		return err
	}
	var answers []answerJSON
	if err := json.Unmarshal(text, &answers); err != nil {
		return err
	}
	for i := range answers {
		if err := answers[i].read(jobs); err != nil {
			return err
		}
	}
	s.published(answers[len(answers)-1].summary(jobs))
	return nil
}

// call is the function that does the jobs, and its arguments.
func (s *Store) call(jobs []*job) (query string, args []any) {
	if len(jobs) == 1 && !s.target.pooled {
		p, text := plainOf(jobs[0].req), string(jobs[0].text)
		if p.do == store.Take {
			return s.query.take, []any{
				text, s.process, s.listening(), p.id, p.name, p.session, p.user, p.value, p.data,
				p.idle, p.maxHold, p.kind, p.reason, p.asSession, p.asUser, p.asValue,
			}
		}
		if p.do == store.Drop {
			return s.query.drop, []any{
				text, s.process, s.listening(), p.id, p.name, p.session, p.data, p.token,
				p.kind, p.reason, p.asSession, p.asUser, p.asValue,
			}
		}
	}
	texts := make([]string, len(jobs))
	for i, j := range jobs {
		texts[i] = string(j.text)
	}
	return s.query.swap, append([]any{texts, s.process, s.listening()}, plainArgs(jobs)...)
}

// summary is what a step tells of itself.
type summary struct {
	first, last uint64 // numbers given out before, and after
	grew        bool   // the log did
	news        []store.Signal
}

// did answers a plain request that was done: the record is what the contract
// says, as nobody waits.
func (j *job) did(token uint64, now time.Time) {
	env := store.Env{
		Now:   now,
		Next:  func() uint64 { return token },
		Alive: func(string) bool { return false },
	}
	var after store.State
	if sw := j.req.Swaps[0]; sw.Do == store.Take {
		after, _, _ = store.Apply(after, sw, j.req.ID, env)
	}
	j.state = done
	j.res = store.Result{Done: true, Now: now, Records: []*store.Record{after.InForce(env)}}
}
