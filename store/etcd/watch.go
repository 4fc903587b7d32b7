package etcd

import (
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/editlock/editlock/store"
)

// idleEvery is how often a watch looks whether anybody listens still.
const idleEvery = 10 * time.Second

// Listen implements store.Store. While somebody listens, this process watches
// the head: each step of another tells there whose tickets left their
// queues, and how far the log goes.
func (s *Store) Listen(peer string) *store.Subscription {
	sub := s.Hub.Listen(peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.watching && s.quit.Err() == nil {
		s.watching = true
		s.done.Go(s.watch)
	}
	return sub
}

// watch watches until nobody listens. A watch that breaks is begun anew from
// where it was; what etcd has compacted since is lost news.
func (s *Store) watch() {
	ctx, cancel := context.WithCancel(s.quit)
	defer cancel()
	tick := time.NewTicker(idleEvery)
	defer tick.Stop()
	rev, logged := int64(0), uint64(0)
	for {
		if rev == 0 {
			at, h, _, err := s.readHead(ctx)
			if err != nil || at == 0 {
				if pause(ctx, time.Second) != nil || s.idle() {
					return
				}
				continue
			}
			rev, logged = at+1, h.Logged
		}
		news := s.client.Watch(clientv3.WithRequireLeader(ctx), s.keys.head(), clientv3.WithRev(rev))
		for open := true; open; {
			select {
			case <-tick.C:
				if s.idle() {
					return
				}
			case got, ok := <-news:
				switch {
				case !ok || got.Canceled:
					open = false
					if got.CompactRevision > 0 {
						rev = 0
						s.Publish(nil, true) // whatever it was
					}
				case len(got.Events) > 0:
					rev = got.Events[len(got.Events)-1].Kv.ModRevision + 1
					for _, e := range got.Events {
						logged = s.tell(e, logged)
					}
				}
			}
		}
		if pause(ctx, retryPause) != nil {
			return
		}
	}
}

// idle ends the watch if nobody listens.
func (s *Store) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = s.Listening()
	return !s.watching
}

// tell publishes what another process did. logged is how far the log went
// before; it returns how far it goes now.
func (s *Store) tell(e *clientv3.Event, logged uint64) uint64 {
	_, h, err := decodeHead([]*mvccpb.KeyValue{e.Kv})
	if err != nil || e.Type == clientv3.EventTypeDelete {
		return logged // the steps that follow will tell what is wrong
	}
	if h.Process == s.process {
		return h.Logged
	}
	news := make([]store.Signal, len(h.News))
	for i, n := range h.News {
		news[i] = store.Signal{Peer: n[0], Ticket: n[1]}
	}
	if len(news) > 0 || h.Logged != logged {
		s.Publish(news, h.Logged != logged)
	}
	return h.Logged
}
