package storetest_test

import (
	"context"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
)

// queueBugs are in who waits and who is granted.
var queueBugs = []mutant{
	{"grants out of order", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			sw := req.Swaps[0]
			view, err := m.get(ctx, sw.Name, "")
			if err != nil || sw.Do != store.Drop || view.Record == nil || view.Record.Waiting < 2 {
				return m.swap(ctx, req)
			}
			first := view.Record.Waiters[0]
			at := func(sw store.Swap) error {
				_, err := m.swap(ctx, store.Request{Swaps: []store.Swap{sw}})
				return err
			}
			if err := at(store.Swap{Name: sw.Name, Do: store.Leave, Ticket: &first}); err != nil {
				return store.Result{}, err
			}
			res, err := m.swap(ctx, req)
			if err == nil {
				err = at(store.Swap{Name: sw.Name, Do: store.Join, Ticket: &first})
			}
			return res, err
		}
	}},
	{"grants dead waiters", []string{"Queue", "Peers", "Table", "Turns", "Histories"}, func(st *tampered) {
		beat := st.beat
		st.beat = func(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
			return beat(ctx, peer, 10*ttl)
		}
	}},
	{"takes the place of who joins again", []string{"Queue", "Retries", "Histories"}, func(st *tampered) {
		st.before(store.Join, func(ctx context.Context, m methods, sw store.Swap) {
			away := store.Swap{Name: sw.Name, Do: store.Leave, Ticket: &store.Ticket{ID: sw.Ticket.ID}}
			_, _ = m.swap(ctx, store.Request{Swaps: []store.Swap{away}})
		})
	}},
	{"moves a ticket whatever its join expects", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) { sw.Expect.Here = false })
	}},
	{"keeps who leaves", []string{"Queue", "Claims", "Turns", "Histories"}, func(st *tampered) {
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			if req.Swaps[0].Do != store.Leave {
				return m.swap(ctx, req)
			}
			view, err := m.get(ctx, req.Swaps[0].Name, "")
			return store.Result{Done: true, Records: []*store.Record{view.Record}, Now: view.Now}, err
		}
	}},
	{"lets anybody's ticket be taken away", []string{"Table", "Queue"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if sw.Do == store.Leave {
				sw.Ticket = &store.Ticket{ID: sw.Ticket.ID}
			}
		})
	}},
	{"counts only the waiters that it shows", []string{"Queue"}, func(st *tampered) {
		st.records(func(rec *store.Record) { rec.Waiting = len(rec.Waiters) })
	}},
	{"grants for the whole terms at once", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if sw.Do == store.Join {
				t := *sw.Ticket
				t.Confirm = 0
				sw.Ticket = &t
			}
		})
	}},
	{"knows no claims", []string{"Claims", "Sweep", "Table", "Turns"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if sw.Do == store.Join {
				t := *sw.Ticket
				t.ClaimAfter = 0
				sw.Ticket = &t
			}
		})
	}},
	{"brings the dead back by a late beat", []string{"Peers"}, func(st *tampered) {
		var lapsed sync.Map // the last ticket of each peer, to join again with
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			if sw := req.Swaps[0]; sw.Do == store.Join {
				lapsed.Store(sw.Ticket.Peer, sw)
			}
			return m.swap(ctx, req)
		}
		st.beat = func(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
			ids, err := m.beat(ctx, peer, ttl)
			if sw, ok := lapsed.Load(peer); ok && err == nil && len(ids) == 0 {
				if res, err := m.swap(ctx, store.Request{Swaps: []store.Swap{sw.(store.Swap)}}); err == nil && res.Done {
					ids = append(ids, sw.(store.Swap).Ticket.ID)
				}
			}
			return ids, err
		}
	}},
	{"returns no tickets of a beat", []string{"Peers", "Queue", "Histories"}, func(st *tampered) {
		beat := st.beat
		st.beat = func(ctx context.Context, peer string, ttl time.Duration) ([]string, error) {
			_, err := beat(ctx, peer, ttl)
			return nil, err
		}
	}},
}
