package postgres

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/editlock/editlock/store/kv"
)

const (
	// lookEvery is how late a change is noticed that no notification told of.
	lookEvery = time.Second
	// lookAlone is the same where there is nowhere to LISTEN.
	lookAlone = 200 * time.Millisecond
	// lookPage bounds how many log entries one look reads.
	lookPage = 1000
	// aliveEvery is how often a silent connection is asked whether it lives.
	aliveEvery = 10 * time.Second
	// watchLease is how long a process that follows the log is told of its
	// growth; watchRenew is how often it says that it still does.
	watchLease = 10 * time.Second
	watchRenew = 3 * time.Second
)

// begin learns how far the log is.
func (e *engine) begin(ctx context.Context) error {
	last, _, _, loose, err := e.lookAfter(ctx, math.MaxInt64)
	e.told = last
	e.loose.Store(loose)
	e.index(0)
	return err
}

// Listen implements kv.Engine. The first listener starts what brings news from
// other processes.
func (e *engine) Listen(f func(kv.News)) (stop func()) {
	stop = e.listeners.Add(f)
	e.listens.Do(func() {
		every := lookAlone
		if e.target.listen != nil {
			every = lookEvery
			e.work.Go(e.hear)
		}
		e.work.Go(func() { e.lookNowAndThen(every) })
	})
	return stop
}

// tell tells what this process has committed.
func (e *engine) tell(txns []kv.Txn, answers []kv.Answer) {
	logged := 0
	e.mu.Lock()
	for i := range txns {
		if !answers[i].Done {
			continue
		}
		// Numbers of other processes in between are for look to tell of.
		if answers[i].First == e.told+1 {
			e.told += uint64(txns[i].Numbers)
		}
		logged += len(txns[i].Log)
		e.listeners.Tell(kv.NewsOf(&txns[i], &answers[i]))
	}
	e.mu.Unlock()
	if logged > 0 {
		e.index(logged)
	}
}

const (
	// indexFrom is from how many log entries on their tags are indexed.
	indexFrom = 1000
	// indexPiece is how many are, at most, in one transaction.
	indexPiece = 4000
)

// index counts log entries that were written, and sees to it that they are
// indexed some time.
func (e *engine) index(more int) {
	if e.loose.Add(int64(more)) < indexFrom || !e.indexing.CompareAndSwap(false, true) {
		return
	}
	e.work.Go(func() {
		defer e.indexing.Store(false)
		for {
			var n int64
			err := e.call(e.ctx, e.reindex, [][]byte{int8Arg(indexPiece)}, true, func(in *answer) error {
				n = in.scalar()
				return in.err
			})
			if err != nil || n < indexPiece {
				e.loose.Store(0) // after a failure: the next time
				return
			}
		}
	})
}

func (e *engine) lookNowAndThen(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
			e.look()
		}
	}
}

// look tells of what others committed since the last look.
func (e *engine) look() {
	for {
		if !e.listeners.Any() {
			return
		}
		e.mu.Lock()
		after := e.told
		e.mu.Unlock()
		last, logged, notes, _, err := e.lookAfter(e.ctx, int64(after))
		if err != nil {
			return // the next look may reach it
		}
		e.mu.Lock()
		if last > e.told { // else it was told of meanwhile
			e.told = last
			if logged > 0 {
				e.listeners.Tell(kv.News{Messages: notes, Logged: true})
			}
		}
		e.mu.Unlock()
		if logged < lookPage {
			return
		}
	}
}

// lookAfter reads how many log entries, at most lookPage, are behind one, up to
// which number, and with which notes.
func (e *engine) lookAfter(ctx context.Context, after int64) (last uint64, logged int64, notes []kv.Sent, loose int64, err error) {
	err = e.call(ctx, e.tail, [][]byte{int8Arg(after), int8Arg(lookPage)}, true, func(in *answer) error {
		in.number() // its columns
		last, loose, logged, notes = uint64(in.int()), in.int(), in.int(), nil
		in.each(func(elem *answer) { notes = append(notes, decodeNotes(elem.b)...) })
		return in.err
	})
	return last, logged, notes, loose, err
}

// encodeNotes is how notes are kept with a log entry.
func encodeNotes(notes []kv.Message) (b []byte) {
	for _, n := range notes {
		for _, s := range []string{n.To, n.Text} {
			b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
			b = append(b, s...)
		}
	}
	return b
}

func decodeNotes(b []byte) (notes []kv.Sent) {
	for in := (answer{b: b}); len(in.b) > 0; {
		n := kv.Sent{To: string(in.sized()), Text: string(in.sized())}
		if in.err != nil {
			return notes
		}
		notes = append(notes, n)
	}
	return notes
}

// follows reports whether a query is of somebody who reads on behind the last
// entry seen.
func follows(q *kv.LogQuery) bool {
	return q.Tag == "" && !q.Newest && q.Before == 0 && q.Limit > 1 && q.After < math.MaxInt64
}

// watch asks to be told of the log's growth by those who write it. If it
// fails, this process looks for itself, as it does anyway.
func (e *engine) watch(ctx context.Context) {
	if !e.watching.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(watchRenew, func() { e.watching.Store(false) })
	_ = e.call(ctx, e.watcher, [][]byte{e.process, int8Arg(watchLease.Microseconds())}, true, func(*answer) error { return nil })
}

// hear listens to notifications, over a connection of its own, until the
// engine is closed. Whenever it has connected it looks for what it missed.
func (e *engine) hear() {
	const first, last = 50 * time.Millisecond, 5 * time.Second
	for pause := first; e.ctx.Err() == nil; pause = min(2*pause, last) {
		if e.hearOnce() {
			pause = first
		}
		select {
		case <-e.ctx.Done():
		case <-time.After(pause):
		}
	}
}

// hearOnce listens until the connection fails, and reports whether it had one.
func (e *engine) hearOnce() (connected bool) {
	ctx, cancel := context.WithTimeout(e.ctx, answerWithin)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, e.target.listen)
	if err != nil {
		return false
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // it is broken, or of no more use
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{e.target.channel}.Sanitize()); err != nil {
		return false
	}
	e.look()
	for {
		note, err := wait(e.ctx, conn)
		if err != nil {
			return true
		}
		if note != nil {
			e.heard(note.Payload)
		}
	}
}

// wait waits for a notification; nil if there was none, but the connection
// lives.
func wait(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	silent, cancel := context.WithTimeout(ctx, aliveEvery)
	defer cancel()
	note, err := conn.WaitForNotification(silent)
	if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return note, err
	}
	probe, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return nil, conn.Ping(probe)
}

// castMark begins a notification that carries a text between processes. No
// Base64 has its last character.
const castMark = "cast:"

// CanBroadcast implements kv.Caster.
func (e *engine) CanBroadcast() bool { return e.target.listen != nil }

// castSQL keeps PostgreSQL from waiting for its disk: a notification alone makes
// a transaction that has something to log.
const castSQL = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

// Cast implements kv.Caster.
func (e *engine) Broadcast(ctx context.Context, text string) error {
	_, err := e.pool.Exec(ctx, castSQL, pgx.QueryExecModeExec, e.target.channel, castMark+text)
	return err
}

// heard tells of one notification: of a text of another process or, as
// editlock_commit writes them, of a note or that the log grew.
func (e *engine) heard(payload string) {
	var news kv.News
	if text, is := strings.CutPrefix(payload, castMark); is {
		news.Casts = []string{text}
	} else if payload == "" {
		news.Logged = true
	} else {
		text, err := base64.StdEncoding.DecodeString(payload)
		in := answer{b: text, err: err}
		in.number() // its columns
		own := slices.Equal(in.field(), e.process)
		n := kv.Sent{Now: moment(in.int()), To: string(in.field()), Text: string(in.field())}
		news.Logged = in.int() > 0
		from, many := in.int(), in.int()
		if many > 0 && from >= 0 && from < 1<<20 && many < 1<<10 {
			found := make([]kv.Found, from+many)
			readFound(&in, found)
			n.Found = found[from:]
		}
		if own || in.err != nil {
			return
		}
		news.Messages = []kv.Sent{n}
	}
	e.listeners.Tell(news)
}
