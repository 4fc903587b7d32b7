package storetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/memory"
)

// mutants are all bugs.
var mutants = slices.Concat(opBugs, queueBugs, treeBugs, readBugs)

// swapBugs are in what an operation does, when, and how often.
var opBugs = []mutant{
	// Conditions.
	{"ignores the expected token now and then", []string{"Table", "Histories"}, func(st *tampered) {
		careless := every(5)
		st.commitAll(func(sw *store.Op) {
			if sw.Expect.Token != 0 && careless() {
				sw.Expect.Token = 0
			}
		})
	}},
	{"ignores whether the name is free, now and then", []string{"Histories", "Requests"}, func(st *tampered) {
		careless := every(40)
		st.commitAll(func(sw *store.Op) {
			if sw.Expect.Free && careless() {
				sw.Expect.Free = false
			}
		})
	}},
	{"compares sessions by prefix", []string{"Table"}, func(st *tampered) {
		get := st.get
		st.commitAll(func(sw *store.Op) {
			view, err := get(context.Background(), sw.Name, "")
			if want := sw.Expect.Session; want != nil && err == nil && view.Record != nil {
				if has := view.Record.Holder.Session; strings.HasPrefix(has, *want) {
					sw.Expect.Session = &has
				}
			}
		})
	}},
	{"compares data without looking at the last byte", []string{"Data"}, func(st *tampered) {
		get := st.get
		st.commitAll(func(sw *store.Op) {
			view, err := get(context.Background(), sw.Name, "")
			if want := sw.Expect.Data; want != nil && err == nil && view.Record != nil {
				has := view.Record.Data
				if len(has) == len(*want) && len(has) > 0 && has[:len(has)-1] == (*want)[:len(*want)-1] {
					sw.Expect.Data = &has
				}
			}
		})
	}},
	{"never checks whether somebody waits", []string{"Table", "Queue", "Histories"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) { sw.Expect.Waiting = false })
	}},

	// Actions.
	{"creates by a touch", []string{"Table", "Expiry", "Histories"}, func(st *tampered) {
		op := st.op
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			res, err := op(ctx, req)
			if err != nil || res.Done || len(req.Ops) != 1 || req.Ops[0].Do != store.Renew || res.Records[0] != nil {
				return res, err
			}
			return op(ctx, store.Txn{ID: req.ID, Ops: []store.Op{{
				Name: req.Ops[0].Name, Do: store.Acquire, Expect: store.Expect{Free: true},
				Holder: &store.Party{Session: "revived"}, Terms: &store.Terms{Idle: time.Minute},
			}}})
		}
	}},
	{"clears the data by a touch that gives none", []string{"Table", "Histories"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if none := ""; sw.Do == store.Renew && sw.Data == nil {
				sw.Data = &none
			}
		})
	}},
	{"keeps the terms although a touch gives new ones", []string{"Table", "Expiry"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if sw.Do == store.Renew {
				sw.Terms = nil
			}
		})
	}},
	{"refuses without telling what is in force", []string{"Table", "Requests"}, func(st *tampered) {
		st.results(func(_ store.Txn, res *store.Result) {
			if !res.Done {
				clear(res.Records)
			}
		})
	}},
	{"cuts data at 64 KiB less one", []string{"Data"}, func(st *tampered) {
		st.commitAll(func(sw *store.Op) {
			if sw.Data != nil && len(*sw.Data) >= 64<<10 {
				cut := (*sw.Data)[:64<<10-1]
				sw.Data = &cut
			}
		})
	}},
	{"takes names for the same that differ in case", []string{"Data", "Queue"}, func(st *tampered) {
		get := st.get
		st.get = func(ctx context.Context, name, session string) (store.View, error) {
			return get(ctx, strings.ToLower(name), session)
		}
		st.commitAll(func(sw *store.Op) { sw.Name = strings.ToLower(sw.Name) })
	}},

	// Atomicity and tokens.
	{"gets, then puts", []string{"Histories", "Requests"}, func(st *tampered) {
		m := st.methods
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			view, err := m.get(ctx, req.Ops[0].Name, "")
			if err != nil || len(req.Ops) > 1 || !req.Ops[0].Expect.Free || view.Record != nil {
				return m.op(ctx, req)
			}
			runtime.Gosched() // as on a network
			res, err := m.op(ctx, req)
			if err != nil || res.Done {
				return res, err
			}
			put := req.Ops[0]
			put.Expect.Free = false
			return m.op(ctx, store.Txn{ID: req.ID, Ops: []store.Op{put}})
		}
	}},
	{"performs the swaps of a request one by one", []string{"Requests", "Histories"}, func(st *tampered) {
		op := st.op
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			if len(req.Ops) == 0 || req.Validate() != nil {
				return op(ctx, req)
			}
			all := store.Result{Done: true}
			for i, sw := range req.Ops {
				id := req.ID
				if id != "" && i > 0 {
					id += fmt.Sprint("/", i)
				}
				res, err := op(ctx, store.Txn{ID: id, Ops: []store.Op{sw}})
				if err != nil {
					return res, err
				}
				all.Done, all.Replayed, all.Now = all.Done && res.Done, all.Replayed || res.Replayed, res.Now
				all.Records = append(all.Records, res.Records...)
			}
			return all, nil
		}
	}},
	{"begins tokens again when a name was free", []string{"Tokens", "Histories", "Expiry"}, func(st *tampered) {
		var mu sync.Mutex
		base := map[string]uint64{} // what is taken off, by name
		get := st.get
		st.requests(func(req *store.Txn) {
			for i := range req.Ops {
				sw := &req.Ops[i]
				view, err := get(context.Background(), sw.Name, "")
				mu.Lock()
				if err == nil && view.Record == nil {
					delete(base, sw.Name)
				}
				if sw.Expect.Token != 0 {
					sw.Expect.Token += base[sw.Name]
				}
				mu.Unlock()
			}
		})
		st.records(func(rec *store.Record) {
			mu.Lock()
			defer mu.Unlock()
			if base[rec.Name] == 0 {
				base[rec.Name] = rec.Token - 1
			}
			rec.Token -= base[rec.Name]
		})
	}},
	{"answers reads from a cache now and then", []string{"Histories"}, func(st *tampered) {
		var mu sync.Mutex
		cache := map[string]*store.Record{}
		get, stale := st.get, every(10)
		st.get = func(ctx context.Context, name, session string) (store.View, error) {
			view, err := get(ctx, name, session)
			mu.Lock()
			defer mu.Unlock()
			if old, ok := cache[name]; ok && stale() && old.Live(view.Now) {
				view.Record = old
			}
			cache[name] = view.Record
			return view, err
		}
	}},

	// Time.
	{"goes by a clock of its own", []string{"Expiry"}, func(st *tampered) { st.keepIn(memory.New(nil)) }},
	{"lets a record live at the moment of its expiry", []string{"Expiry"}, func(st *tampered) {
		var mu sync.Mutex
		seen := map[string]*store.Record{}
		get := st.get
		st.get = func(ctx context.Context, name, session string) (store.View, error) {
			view, err := get(ctx, name, session)
			mu.Lock()
			defer mu.Unlock()
			if old := seen[name]; view.Record == nil && old != nil && old.Expires.Equal(view.Now) {
				view.Record = old
			}
			seen[name] = view.Record
			return view, err
		}
	}},
	{"never sweeps", []string{"Sweep", "Queue", "Claims", "Turns"}, func(st *tampered) {
		st.sweep = func(context.Context, store.Retention) (time.Duration, error) { return -1, nil }
	}},
	{"is always due", []string{"Sweep"}, func(st *tampered) {
		sweep := st.sweep
		st.sweep = func(ctx context.Context, keep store.Retention) (time.Duration, error) {
			_, err := sweep(ctx, keep)
			return 0, err
		}
	}},
	{"says too late when something is due", []string{"Sweep", "Turns"}, func(st *tampered) {
		sweep := st.sweep
		st.sweep = func(ctx context.Context, keep store.Retention) (time.Duration, error) {
			due, err := sweep(ctx, keep)
			if due > 0 {
				due += time.Millisecond
			}
			return due, err
		}
	}},
	{"settles in reads", []string{"Get", "Queue"}, func(st *tampered) {
		get, sweep := st.get, st.sweep
		st.get = func(ctx context.Context, name, session string) (store.View, error) {
			if _, err := sweep(ctx, store.Retention{}); err != nil {
				return store.View{}, err
			}
			return get(ctx, name, session)
		}
	}},

	// Retries.
	{"does not know a retry", []string{"Retries", "Table", "Histories"}, func(st *tampered) {
		known := &knownIDs{}
		st.requests(func(req *store.Txn) { req.ID = known.fresh(req.ID) })
		st.records(func(rec *store.Record) { rec.Request, _, _ = strings.Cut(rec.Request, retryMark) })
	}},
	{"does not know a retry after a restart", []string{"Retries"}, func(st *tampered) {
		known := &knownIDs{}
		st.requests(func(req *store.Txn) { known.fresh(req.ID) })
		st.restart = func(again *tampered) {
			again.requests(func(req *store.Txn) { req.ID = known.fresh(req.ID) })
			again.records(func(rec *store.Record) { rec.Request, _, _ = strings.Cut(rec.Request, retryMark) })
		}
	}},
	{"remembers refusals", []string{"Retries", "Histories"}, func(st *tampered) {
		var refused sync.Map
		op := st.op
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			if old, ok := refused.Load(req.ID); ok && req.ID != "" {
				return old.(store.Result), nil
			}
			res, err := op(ctx, req)
			if err == nil && !res.Done {
				refused.Store(req.ID, res)
			}
			return res, err
		}
	}},
	{"calls a retry new", []string{"Retries", "Histories"}, func(st *tampered) {
		st.results(func(_ store.Txn, res *store.Result) { res.Replayed = false })
	}},
	{"forgets everything in a restart", []string{"Tokens", "Retries", "Pruning", "Histories"}, func(st *tampered) {
		st.restart = func(again *tampered) { again.keepIn(memory.New(&memory.Options{Now: st.clock.Now})) }
	}},
}
