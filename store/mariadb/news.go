package mariadb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/editlock/editlock/store/kv"
)

const (
	// pollEvery is how often other processes' news are looked for.
	pollEvery = 100 * time.Millisecond
	// notesLast is how long notes are kept for those who poll.
	notesLast = time.Minute
)

// Listen implements kv.Engine. MariaDB has no push: while there is a listener,
// the process looks at what other processes have written.
func (e *engine) Listen(f func(kv.News)) (stop func()) {
	stop = e.listeners.Add(f)
	e.poller.Do(func() { e.polls.Go(e.poll) })
	return stop
}

// sender tells the notes of this process from those of others.
func (e *engine) sender() string { return *e.id.Load() }

func (e *engine) newSender() {
	id := rand.Text()[:16]
	e.id.Store(&id)
}

// tell tells what this process has committed.
func (e *engine) tell(txns []kv.Txn, answers []kv.Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range txns {
		if !answers[i].Done {
			continue
		}
		// Numbers of other processes in between are for poll to tell of.
		if answers[i].First == e.told+1 {
			e.told += uint64(txns[i].Numbers)
		}
		e.listeners.Tell(kv.NewsOf(&txns[i], &answers[i]))
	}
}

// poll tells what other processes have committed.
func (e *engine) poll() {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	after := int64(-1) // the note seen last; below 0: none was looked for
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
		}
		if !e.listeners.Any() {
			continue
		}
		last, notes, err := e.look(e.ctx, &after)
		if err != nil {
			continue // the next look may succeed; news may be lost
		}
		e.mu.Lock()
		grown := last > e.told
		e.told = max(e.told, last)
		e.listeners.Tell(kv.News{Messages: notes, Logged: grown})
		e.mu.Unlock()
	}
}

// look reads the highest number, and the notes of others after one.
func (e *engine) look(ctx context.Context, after *int64) (last uint64, notes []kv.Sent, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var s script
	s.add("SELECT last,(SELECT COALESCE(MAX(id),0) FROM editlock_note) FROM editlock_meta WHERE id=1;",
		"SELECT id,who,what,sender=", bin(e.sender()), " FROM editlock_note WHERE id>", num(*after), " ORDER BY id LIMIT 1000;")
	seen := *after
	err = e.with(ctx, func(conn *sql.Conn) error {
		return run(ctx, conn, s.String(), func(rows *sql.Rows) error {
			var newest int64
			if !rows.Next() {
				return errors.Join(rows.Err(), errShort)
			}
			if err := rows.Scan(&last, &newest); err != nil {
				return err
			}
			if err := next(rows, false); err != nil {
				return err
			}
			for rows.Next() {
				var n kv.Sent
				var own bool
				if err := rows.Scan(&seen, &n.To, &n.Text, &own); err != nil {
					return err
				}
				if !own && *after >= 0 {
					notes = append(notes, n)
				}
			}
			if *after < 0 {
				seen = newest
			}
			return rows.Err()
		})
	})
	if err == nil {
		*after = seen
	}
	return last, notes, err
}
