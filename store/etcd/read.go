package etcd

import (
	"context"
	"errors"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// moment is what a read knows of the store beside what it reads.
type moment struct {
	head  head
	rev   int64 // of the store, to read more of the same moment
	env   store.Env
	peers map[string]int64
}

// readAgain is read, until etcd answers: while it elects a leader, or a
// connection is dead, it does not. It gives up when steps do.
func (s *Store) readAgain(ctx context.Context, ops ...clientv3.Op) ([]*etcdserverpb.RangeResponse, *etcdserverpb.ResponseHeader, error) {
	deadline := s.clock.elapsed() + giveUpAfter.Microseconds()
	for {
		try, cancel := context.WithTimeout(ctx, tryWithin)
		got, header, err := s.read(try, ops...)
		cancel()
		if err == nil || ctx.Err() != nil || !temporary(err) || errors.Is(err, rpctypes.ErrCompacted) || s.clock.elapsed() > deadline {
			if err != nil && ctx.Err() != nil {
				err = ctx.Err()
			}
			return got, header, err
		}
		if pause(ctx, retryPause) != nil {
			return nil, nil, ctx.Err()
		}
	}
}

// look reads the head, the peers and more, at one moment.
func (s *Store) look(ctx context.Context, more ...clientv3.Op) (m moment, answers [][]*mvccpb.KeyValue, err error) {
	if err := s.enter(ctx); err != nil {
		return m, nil, err
	}
	ops := append([]clientv3.Op{
		clientv3.OpGet(s.keys.head()), clientv3.OpGet(s.keys.peers(), clientv3.WithPrefix()),
	}, more...)
	got, header, err := s.readAgain(ctx, ops...)
	if err != nil {
		return m, nil, err
	}
	m.rev = header.Revision
	if _, m.head, err = decodeHead(got[0].Kvs); err != nil {
		return m, nil, err
	}
	if m.peers, err = decodePeers(s.keys, got[1].Kvs); err != nil {
		return m, nil, err
	}
	if err := s.clock.await(ctx, m.head, header.RaftTerm); err != nil {
		return m, nil, err
	}
	now := s.clock.now(m.head)
	m.env = store.Env{Now: fromMicros(now), Alive: alive(m.peers, now)}
	for _, r := range got[2:] {
		answers = append(answers, r.Kvs)
	}
	return m, answers, nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, name string) (store.View, error) {
	m, answers, err := s.look(ctx, clientv3.OpGet(s.keys.name(name), clientv3.WithPrefix()))
	if err != nil {
		return store.View{}, err
	}
	st, err := decodeName(s.keys, name, answers[0])
	if err != nil {
		return store.View{}, err
	}
	return store.View{Record: st.InForce(m.env), Now: m.env.Now}, nil
}

// listKeys is how many keys List reads at a time, and listNames of how many
// names, once an index has told them.
const (
	listKeys  = 1000
	listNames = 64
)

// List implements store.Store.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	for {
		page, err := s.list(ctx, q)
		if !errors.Is(err, rpctypes.ErrCompacted) { // while it was read: begin anew
			return page, err
		}
	}
}

func (s *Store) list(ctx context.Context, q store.Query) (store.Page, error) {
	index := ""
	switch {
	case q.Session != "":
		index = s.keys.session(q.Session)
	case q.User != "":
		index = s.keys.user(q.User)
	}
	l := &lister{s: s, q: q}
	var err error
	if index != "" {
		err = l.byIndex(ctx, index)
	} else {
		err = l.byName(ctx)
	}
	return store.Page{Records: l.records, Now: l.m.env.Now}, err
}

// lister collects one page, all of it of one moment.
type lister struct {
	s       *Store
	q       store.Query
	m       moment // of its first read
	records []store.Record
}

// read reads more of the moment; the first time it finds the moment.
func (l *lister) read(ctx context.Context, op func(opts ...clientv3.OpOption) clientv3.Op) ([]*mvccpb.KeyValue, error) {
	if l.m.rev != 0 {
		got, _, err := l.s.readAgain(ctx, op(clientv3.WithRev(l.m.rev)))
		if err != nil {
			return nil, err
		}
		return got[0].Kvs, nil
	}
	m, answers, err := l.s.look(ctx, op())
	if err != nil {
		return nil, err
	}
	l.m = m
	return answers[0], nil
}

// add takes in what stands under a name, and reports whether the page is full.
func (l *lister) add(name string, kvs []*mvccpb.KeyValue) (full bool, err error) {
	st, err := decodeName(l.s.keys, name, kvs)
	if err != nil {
		return false, err
	}
	rec := st.InForce(l.m.env)
	if rec != nil && (l.q.Session == "" || rec.Holder.Session == l.q.Session) && (l.q.User == "" || rec.Holder.User == l.q.User) {
		l.records = append(l.records, *rec)
	}
	return len(l.records) == l.q.Limit, nil
}

// byName goes through the names themselves.
func (l *lister) byName(ctx context.Context) error {
	k := l.s.keys
	prefix := k.names() + strings.TrimSuffix(part(l.q.Prefix), end)
	from := prefix
	if behind := after(k.name(l.q.After)); l.q.After != "" && behind > from {
		from = behind
	}
	name, kvs := "", []*mvccpb.KeyValue(nil)
	for from < after(prefix) {
		got, err := l.read(ctx, func(opts ...clientv3.OpOption) clientv3.Op {
			return clientv3.OpGet(from, append(opts, clientv3.WithRange(after(prefix)), clientv3.WithLimit(listKeys))...)
		})
		if err != nil {
			return err
		}
		for _, kv := range got {
			next, _ := unpart(strings.TrimPrefix(string(kv.Key), k.names()))
			if next != name || kvs == nil {
				if kvs != nil {
					if full, err := l.add(name, kvs); full || err != nil {
						return err
					}
				}
				name, kvs = next, nil
			}
			kvs = append(kvs, kv)
		}
		if len(got) < listKeys {
			break
		}
		from = string(got[len(got)-1].Key) + "\x00"
	}
	if kvs != nil {
		_, err := l.add(name, kvs)
		return err
	}
	return nil
}

// byIndex goes through the names that an index tells.
func (l *lister) byIndex(ctx context.Context, index string) error {
	from, until := index+l.q.Prefix, after(index+l.q.Prefix)
	if behind := index + l.q.After + "\x00"; l.q.After != "" && behind > from {
		from = behind
	}
	for from < until {
		got, err := l.read(ctx, func(opts ...clientv3.OpOption) clientv3.Op {
			return clientv3.OpGet(from, append(opts, clientv3.WithRange(until), clientv3.WithLimit(listNames), clientv3.WithKeysOnly())...)
		})
		if err != nil || len(got) == 0 {
			return err
		}
		ops := make([]clientv3.Op, len(got))
		names := make([]string, len(got))
		for i, kv := range got {
			names[i] = strings.TrimPrefix(string(kv.Key), index)
			ops[i] = clientv3.OpGet(l.s.keys.name(names[i]), clientv3.WithPrefix(), clientv3.WithRev(l.m.rev))
		}
		found, _, err := l.s.readAgain(ctx, ops...)
		if err != nil {
			return err
		}
		for i, name := range names {
			if full, err := l.add(name, found[i].Kvs); full || err != nil {
				return err
			}
		}
		if len(got) < listNames {
			return nil
		}
		from = string(got[len(got)-1].Key) + "\x00"
	}
	return nil
}
