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
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			sw := req.Ops[0]
			view, err := m.get(ctx, sw.Name, "")
			if err != nil || sw.Do != store.Release || view.Record == nil || view.Record.Waiting < 2 {
				return m.op(ctx, req)
			}
			first := view.Record.Waiters[0]
			at := func(sw store.Op) error {
				_, err := m.op(ctx, store.Txn{Ops: []store.Op{sw}})
				return err
			}
			if err := at(store.Op{Name: sw.Name, Do: store.Leave, Waiter: &first}); err != nil {
				return store.Result{}, err
			}
			res, err := m.op(ctx, req)
			if err == nil {
				err = at(store.Op{Name: sw.Name, Do: store.Join, Waiter: &first})
			}
			return res, err
		}
	}},
	{"grants dead waiters", []string{"Queue", "Peers", "Table", "Turns", "Histories"}, func(st *tampered) {
		keepAlive := st.keepAlive
		st.keepAlive = func(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
			return keepAlive(ctx, process, 10*ttl)
		}
	}},
	{"takes the place of who joins again", []string{"Queue", "Retries", "Histories"}, func(st *tampered) {
		st.before(store.Join, func(ctx context.Context, m methods, sw store.Op) {
			away := store.Op{Name: sw.Name, Do: store.Leave, Waiter: &store.Waiter{ID: sw.Waiter.ID}}
			_, _ = m.op(ctx, store.Txn{Ops: []store.Op{away}})
		})
	}},
	{"moves a ticket whatever its join expects", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) { sw.Expect.Here = false })
	}},
	{"keeps who leaves", []string{"Queue", "Claims", "Turns", "Histories"}, func(st *tampered) {
		m := st.methods
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			if req.Ops[0].Do != store.Leave {
				return m.op(ctx, req)
			}
			view, err := m.get(ctx, req.Ops[0].Name, "")
			return store.Result{Done: true, Records: []*store.Record{view.Record}, Now: view.Now}, err
		}
	}},
	{"lets anybody's ticket be taken away", []string{"Table", "Queue"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if sw.Do == store.Leave {
				sw.Waiter = &store.Waiter{ID: sw.Waiter.ID}
			}
		})
	}},
	{"counts only the waiters that it shows", []string{"Queue"}, func(st *tampered) {
		st.records(func(rec *store.Record) { rec.Waiting = len(rec.Waiters) })
	}},
	{"grants for the whole terms at once", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if sw.Do == store.Join {
				t := *sw.Waiter
				t.ConfirmWithin = 0
				sw.Waiter = &t
			}
		})
	}},
	{"knows no claims", []string{"Claims", "Sweep", "Table", "Turns"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if sw.Do == store.Join {
				t := *sw.Waiter
				t.GrantAfter = 0
				sw.Waiter = &t
			}
		})
	}},
	{"brings the dead back by a late beat", []string{"Peers"}, func(st *tampered) {
		var lapsed sync.Map // the last waiter of each process, to join again with
		m := st.methods
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			if sw := req.Ops[0]; sw.Do == store.Join {
				lapsed.Store(sw.Waiter.Process, sw)
			}
			return m.op(ctx, req)
		}
		st.keepAlive = func(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
			ids, err := m.keepAlive(ctx, process, ttl)
			if sw, ok := lapsed.Load(process); ok && err == nil && len(ids) == 0 {
				if res, err := m.op(ctx, store.Txn{Ops: []store.Op{sw.(store.Op)}}); err == nil && res.Done {
					ids = append(ids, sw.(store.Op).Waiter.ID)
				}
			}
			return ids, err
		}
	}},
	{"returns no tickets of a beat", []string{"Peers", "Queue", "Histories"}, func(st *tampered) {
		keepAlive := st.keepAlive
		st.keepAlive = func(ctx context.Context, process string, ttl time.Duration) ([]string, error) {
			_, err := keepAlive(ctx, process, ttl)
			return nil, err
		}
	}},
}
