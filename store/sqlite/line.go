package sqlite

import (
	"context"
	"slices"

	"editlock/store"
)

// lines are the queues that the committer knows by heart, so that a hand-over
// before a thousand who wait reads none of them. As all it knows, they hold
// while no other process writes to the file.
type lines struct {
	byName  map[string]*line
	once    map[string]bool // names asked for once: worth knowing at the second time
	home    map[string]string
	tickets int
}

// line is the whole queue of one name, oldest first, dead ones included.
type line struct {
	tickets []store.Ticket
	peers   map[string]int // how many tickets each has
}

func newLines() *lines {
	return &lines{byName: make(map[string]*line), once: make(map[string]bool), home: make(map[string]string)}
}

// of returns the queue of a name, nil if it is not known.
func (l *lines) of(ctx context.Context, st *writeStatements, name string) (*line, error) {
	if q := l.byName[name]; q != nil {
		return q, nil
	}
	if !l.once[name] {
		l.once[name] = true
		return nil, nil
	}
	rows, err := st.wholeQueue.QueryContext(ctx, name)
	if err != nil {
		return nil, err
	}
	tickets, err := readTickets(rows)
	if err != nil {
		return nil, err
	}
	q := &line{peers: make(map[string]int)}
	l.byName[name] = q
	for _, t := range tickets {
		l.put(t)
	}
	return q, nil
}

// size is how much is kept in mind.
func (l *lines) size() int { return len(l.once) + l.tickets }

// put adds a ticket, or changes the one with its ID.
func (l *lines) put(t store.Ticket) {
	q := l.byName[t.Name]
	if q == nil {
		return
	}
	if i := q.find(t.ID); i >= 0 && q.tickets[i].Seq == t.Seq {
		q.count(q.tickets[i].Peer, -1)
		q.tickets[i] = t
		q.count(t.Peer, 1)
		return
	}
	l.drop(t.ID)
	q.tickets = append(q.tickets, t)
	q.count(t.Peer, 1)
	l.home[t.ID] = t.Name
	l.tickets++
}

// drop takes a ticket out.
func (l *lines) drop(id string) {
	q := l.byName[l.home[id]]
	if q == nil {
		return
	}
	if i := q.find(id); i >= 0 {
		q.count(q.tickets[i].Peer, -1)
		q.tickets = slices.Delete(q.tickets, i, i+1)
		delete(l.home, id)
		l.tickets--
	}
}

func (q *line) count(peer string, n int) {
	if q.peers[peer] += n; q.peers[peer] == 0 {
		delete(q.peers, peer)
	}
}

func (q *line) find(id string) int {
	return slices.IndexFunc(q.tickets, func(t store.Ticket) bool { return t.ID == id })
}

// window returns the oldest live tickets, at most so many, and how many live
// ones stand behind them.
func (q *line) window(most int, alive func(peer string) bool) (window []store.Ticket, rest int) {
	live := make(map[string]bool, len(q.peers))
	for peer, n := range q.peers {
		if live[peer] = alive(peer); live[peer] {
			rest += n
		}
	}
	for _, t := range q.tickets {
		if len(window) == most || rest == 0 {
			break
		}
		if live[t.Peer] {
			window = append(window, t)
			rest--
		}
	}
	return window, rest
}
