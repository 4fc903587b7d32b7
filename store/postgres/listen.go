package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/editlock/editlock/store"
)

const (
	// lookEvery is how late a change is noticed that no notification told of.
	lookEvery = time.Second
	// lookAlone is the same where there is nowhere to LISTEN.
	lookAlone = 200 * time.Millisecond
	// aliveEvery is how often a silent connection is asked whether it lives.
	aliveEvery = 15 * time.Second
	// lookPage is how many entries are looked at at a time.
	lookPage = 1000
	// maxPeers bounds the peers that a process says are its own. A Manager
	// is one, as long as it lives.
	maxPeers = 16
)

// tailQuery reads behind the last entry that was published: what may have been
// granted, and the last number given out.
const tailQuery = `SELECT m.last, e.seq, e.request FROM (SELECT ` + lastSeq + ` AS last FROM @schema@.editlock_meta m) m
	LEFT JOIN LATERAL (SELECT l.seq, l.request FROM @schema@.editlock_log l WHERE l.seq > $1 ORDER BY l.seq LIMIT $2) e ON true
	ORDER BY e.seq`

// Listen implements store.Store. The first subscription starts what brings
// news from other processes.
func (s *Store) Listen(peer string) *store.Subscription {
	s.mu.Lock()
	if !slices.Contains(s.peers, peer) {
		if len(s.peers) == maxPeers { // the oldest is notified, as if it were elsewhere
			s.peers = s.peers[1:]
		}
		s.peers = append(s.peers, peer)
	}
	s.mu.Unlock()
	s.listens.Do(func() {
		if s.jobs.Closed() {
			return
		}
		every := lookAlone
		if s.target.listen != nil {
			every = lookEvery
			s.done.Go(s.hear)
		}
		s.done.Go(func() { s.lookNowAndThen(every) })
	})
	return s.Hub.Listen(peer)
}

// listening are the peers that listen here, and need not be notified.
func (s *Store) listening() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.peers...)
}

// published publishes what a step of this process did.
func (s *Store) published(end summary) {
	s.mu.Lock()
	if s.seen >= end.first { // else something before it is not known here: look finds it
		s.seen = max(s.seen, end.last)
	}
	s.mu.Unlock()
	if len(end.news) > 0 || end.grew {
		s.Publish(end.news, end.grew)
	}
}

func (s *Store) lookNowAndThen(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if s.Listening() {
			s.look()
		}
	}
}

// look publishes what others wrote since the last look. Whose tickets these
// were is not known here: everybody is asked.
func (s *Store) look() {
	for full := true; full; {
		s.mu.Lock()
		after := s.seen
		s.mu.Unlock()
		var (
			last int64
			news []store.Signal
			grew bool
		)
		err := s.read(s.ctx, func(ctx context.Context) error {
			rows, err := s.pool.Query(ctx, s.query.tail, int64(after), lookPage)
			if err != nil {
				return err
			}
			news, grew = nil, false
			var (
				seq     *int64
				request *string
				n       int
			)
			_, err = pgx.ForEachRow(rows, []any{&last, &seq, &request}, func() error {
				if seq == nil {
					return nil
				}
				grew = true
				if *request != "" {
					news = append(news, store.Signal{Ticket: *request})
				}
				if n++; n == lookPage {
					last = *seq
				}
				return nil
			})
			full = n == lookPage
			return err
		})
		if err != nil {
			return // the next look may reach it
		}
		s.mu.Lock()
		s.seen = max(s.seen, uint64(last))
		s.mu.Unlock()
		if grew { // what was published here meanwhile is told twice: that is no lie
			s.Publish(news, true)
		}
	}
}

// hear listens to notifications, over a connection of its own, until the
// store is closed. Whenever it has connected it looks for what it missed.
func (s *Store) hear() {
	const first, last = 50 * time.Millisecond, 5 * time.Second
	for pause := first; s.ctx.Err() == nil; pause = min(2*pause, last) {
		if s.hearOnce() {
			pause = first
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(pause):
		}
	}
}

// hearOnce listens until the connection fails, and reports whether it had one.
func (s *Store) hearOnce() (connected bool) {
	ctx, cancel := context.WithTimeout(s.ctx, answerWithin)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.target.listen)
	if err != nil {
		return false
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // it is broken, or of no more use
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+s.target.channel()); err != nil {
		return false
	}
	s.look()
	for {
		note, err := wait(s.ctx, conn)
		if err != nil {
			return true
		}
		if note != nil {
			s.heard(note.Payload)
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

// heard publishes one notification, as editlock_tell writes them.
func (s *Store) heard(payload string) {
	if payload == "log" {
		s.Publish(nil, true)
		return
	}
	var (
		n       store.Signal
		granted *answerJSON
	)
	if err := json.Unmarshal([]byte(payload), &[3]any{&n.Peer, &n.Ticket, &granted}); err != nil || n.Ticket == "" {
		s.look()
		return
	}
	if granted != nil {
		n.Granted = store.View{Record: granted.record(granted.Name), Now: fromMicros(granted.Now)}
	}
	s.Publish([]store.Signal{n}, false)
}
