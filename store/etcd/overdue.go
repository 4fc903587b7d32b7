package etcd

import (
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// mostOverdue is up to how many rows that are due stand for all, in a range that may
// have a hundred thousand. Beyond that the range itself is read.
const mostOverdue = 2000

// overdue is what is due at a moment, wherever it is.
type overdue struct {
	many bool     // it is more than was read
	keys []string // of rows, in the order of when they were due
	// ended are the keys of these rows and of those that live with them; nil: they were
	// not looked for.
	ended map[string]bool
}

// overdue reads what is due.
func (m *moment) overdue() (*overdue, error) {
	if m.dues != nil {
		return m.dues, nil
	}
	k := m.e.keys
	until := m.now.UnixMicro() + 1
	if m.rev == 0 { // the moment may turn out to be later
		until += time.Second.Microseconds()
	}
	r := scan(k.dues(), k.due(until, ""))
	r.Limit, r.KeysOnly = mostOverdue+1, true
	got, err := m.get([]*pb.RangeRequest{r})
	if err != nil {
		return nil, err
	}
	now := m.now.UnixMicro()
	m.dues = &overdue{many: got[0].More || now >= until}
	for _, kv := range got[0].Kvs {
		if key := string(kv.Key[len(k.dues()):]); leading([]byte(key)) <= uint64(now) {
			m.dues.keys = append(m.dues.keys, key[numberLen:])
		}
	}
	return m.dues, nil
}

// late has a range of what is due read by that, if it is one of keys that may be many.
func (m *moment) late(s *search) error {
	if !s.wide || !s.q.Overdue || s.done {
		return nil
	}
	d, err := m.overdue()
	if err != nil || d.many {
		return err
	}
	for _, key := range d.keys {
		if s.has(m.e.keys.row(key)) {
			s.keys = append(s.keys, key)
		}
	}
	slices.Sort(s.keys)
	s.done = true
	return nil
}

// has reports whether a key is one of those of the range.
func (s *search) has(key string) bool { return key >= s.begin && (key < s.until || s.until == "\x00") }

// rest counts the rows of a range without reading them, once as many as are wanted
// were found: it has so many keys, of which some have ended.
func (m *moment) rest(s *search) error {
	d, err := m.overdue()
	if err != nil || d.many {
		return err
	}
	if d.ended == nil {
		if err := m.leased(d); err != nil || d.many {
			return err
		}
	}
	count := s.total
	for key := range d.ended {
		if s.has(m.e.keys.row(key)) {
			count--
		}
	}
	s.found.Count, s.done = int(count), true
	return nil
}

// leased finds the rows whose lease has ended.
func (m *moment) leased(d *overdue) error {
	ended := make(map[string]bool, len(d.keys))
	reads := make([]*pb.RangeRequest, len(d.keys))
	for i, key := range d.keys {
		ended[key] = true
		prefix := m.e.keys.lease(key)
		reads[i] = scan(prefix, after(prefix))
		reads[i].Limit, reads[i].KeysOnly = mostOverdue, true
	}
	got, err := m.get(reads)
	if err != nil {
		return err
	}
	for i, key := range d.keys {
		d.many = d.many || got[i].More
		for _, kv := range got[i].Kvs {
			ended[strings.TrimPrefix(string(kv.Key), m.e.keys.lease(key))] = true
		}
	}
	d.ended = ended
	return nil
}
