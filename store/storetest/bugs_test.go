package storetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"editlock/store"
	"editlock/store/memory"
)

var mutants = []mutant{
	// Conditions.
	{"ignores the expected token now and then", []string{"Table", "Histories"}, func(st *tampered) {
		careless := every(5)
		st.swaps(func(sw *store.Swap) {
			if sw.Expect.Token != 0 && careless() {
				sw.Expect.Token = 0
			}
		})
	}},
	{"ignores whether the name is free, now and then", []string{"Histories", "Requests"}, func(st *tampered) {
		careless := every(40)
		st.swaps(func(sw *store.Swap) {
			if sw.Expect.Free && careless() {
				sw.Expect.Free = false
			}
		})
	}},
	{"compares sessions by prefix", []string{"Table"}, func(st *tampered) {
		get := st.get
		st.swaps(func(sw *store.Swap) {
			view, err := get(context.Background(), sw.Name)
			if want := sw.Expect.Session; want != nil && err == nil && view.Record != nil {
				if has := view.Record.Holder.Session; strings.HasPrefix(has, *want) {
					sw.Expect.Session = &has
				}
			}
		})
	}},
	{"compares data without looking at the last byte", []string{"Data"}, func(st *tampered) {
		get := st.get
		st.swaps(func(sw *store.Swap) {
			view, err := get(context.Background(), sw.Name)
			if want := sw.Expect.Data; want != nil && err == nil && view.Record != nil {
				has := view.Record.Data
				if len(has) == len(*want) && len(has) > 0 && has[:len(has)-1] == (*want)[:len(*want)-1] {
					sw.Expect.Data = &has
				}
			}
		})
	}},
	{"never checks whether somebody waits", []string{"Table", "Queue", "Histories"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) { sw.Expect.Waiting = false })
	}},

	// Actions.
	{"creates by a touch", []string{"Table", "Expiry", "Histories"}, func(st *tampered) {
		swap := st.swap
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			res, err := swap(ctx, req)
			if err != nil || res.Done || len(req.Swaps) != 1 || req.Swaps[0].Do != store.Touch || res.Records[0] != nil {
				return res, err
			}
			return swap(ctx, store.Request{ID: req.ID, Swaps: []store.Swap{{
				Name: req.Swaps[0].Name, Do: store.Take, Expect: store.Expect{Free: true},
				Holder: &store.Party{Session: "revived"}, Terms: &store.Terms{Idle: time.Minute},
			}}})
		}
	}},
	{"clears the data by a touch that gives none", []string{"Table", "Histories"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if none := ""; sw.Do == store.Touch && sw.Data == nil {
				sw.Data = &none
			}
		})
	}},
	{"keeps the terms although a touch gives new ones", []string{"Table", "Expiry"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if sw.Do == store.Touch {
				sw.Terms = nil
			}
		})
	}},
	{"refuses without telling what is in force", []string{"Table", "Requests"}, func(st *tampered) {
		st.results(func(_ store.Request, res *store.Result) {
			if !res.Done {
				clear(res.Records)
			}
		})
	}},
	{"cuts data at 64 KiB less one", []string{"Data"}, func(st *tampered) {
		st.swaps(func(sw *store.Swap) {
			if sw.Data != nil && len(*sw.Data) >= 64<<10 {
				cut := (*sw.Data)[:64<<10-1]
				sw.Data = &cut
			}
		})
	}},
	{"takes names for the same that differ in case", []string{"Data", "Queue"}, func(st *tampered) {
		get := st.get
		st.get = func(ctx context.Context, name string) (store.View, error) { return get(ctx, strings.ToLower(name)) }
		st.swaps(func(sw *store.Swap) { sw.Name = strings.ToLower(sw.Name) })
	}},

	// Atomicity and tokens.
	{"gets, then puts", []string{"Histories", "Requests"}, func(st *tampered) {
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			view, err := m.get(ctx, req.Swaps[0].Name)
			if err != nil || len(req.Swaps) > 1 || !req.Swaps[0].Expect.Free || view.Record != nil {
				return m.swap(ctx, req)
			}
			runtime.Gosched() // as on a network
			res, err := m.swap(ctx, req)
			if err != nil || res.Done {
				return res, err
			}
			put := req.Swaps[0]
			put.Expect.Free = false
			return m.swap(ctx, store.Request{ID: req.ID, Swaps: []store.Swap{put}})
		}
	}},
	{"performs the swaps of a request one by one", []string{"Requests", "Histories"}, func(st *tampered) {
		swap := st.swap
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			if len(req.Swaps) == 0 || req.Validate() != nil {
				return swap(ctx, req)
			}
			all := store.Result{Done: true}
			for i, sw := range req.Swaps {
				id := req.ID
				if id != "" && i > 0 {
					id += fmt.Sprint("/", i)
				}
				res, err := swap(ctx, store.Request{ID: id, Swaps: []store.Swap{sw}})
				if err != nil {
					return res, err
				}
				all.Done, all.Replayed, all.Now = all.Done && res.Done, all.Replayed || res.Replayed, res.Now
				all.Records = append(all.Records, res.Records...)
			}
			return all, nil
		}
	}},
	{"begins tokens anew when a name was free", []string{"Tokens", "Histories", "Expiry"}, func(st *tampered) {
		var mu sync.Mutex
		base := map[string]uint64{} // what is taken off, by name
		get := st.get
		st.requests(func(req *store.Request) {
			for i := range req.Swaps {
				sw := &req.Swaps[i]
				view, err := get(context.Background(), sw.Name)
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
		st.get = func(ctx context.Context, name string) (store.View, error) {
			view, err := get(ctx, name)
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
		st.get = func(ctx context.Context, name string) (store.View, error) {
			view, err := get(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			if old := seen[name]; view.Record == nil && old != nil && old.Expires.Equal(view.Now) {
				view.Record = old
			}
			seen[name] = view.Record
			return view, err
		}
	}},
	{"never sweeps", []string{"Sweep", "Queue", "Claims"}, func(st *tampered) {
		st.sweep = func(context.Context, store.Retention) (time.Duration, error) { return -1, nil }
	}},
	{"is always due", []string{"Sweep"}, func(st *tampered) {
		sweep := st.sweep
		st.sweep = func(ctx context.Context, keep store.Retention) (time.Duration, error) {
			_, err := sweep(ctx, keep)
			return 0, err
		}
	}},
	{"says too late when something is due", []string{"Sweep"}, func(st *tampered) {
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
		st.get = func(ctx context.Context, name string) (store.View, error) {
			if _, err := sweep(ctx, store.Retention{}); err != nil {
				return store.View{}, err
			}
			return get(ctx, name)
		}
	}},

	// Retries.
	{"does not know a retry", []string{"Retries", "Table", "Histories"}, func(st *tampered) {
		known := &knownIDs{}
		st.requests(func(req *store.Request) { req.ID = known.fresh(req.ID) })
		st.records(func(rec *store.Record) { rec.Request, _, _ = strings.Cut(rec.Request, retryMark) })
	}},
	{"does not know a retry after a restart", []string{"Retries"}, func(st *tampered) {
		known := &knownIDs{}
		st.requests(func(req *store.Request) { known.fresh(req.ID) })
		st.restart = func(again *tampered) {
			again.requests(func(req *store.Request) { req.ID = known.fresh(req.ID) })
			again.records(func(rec *store.Record) { rec.Request, _, _ = strings.Cut(rec.Request, retryMark) })
		}
	}},
	{"remembers refusals", []string{"Retries", "Histories"}, func(st *tampered) {
		var refused sync.Map
		swap := st.swap
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			if old, ok := refused.Load(req.ID); ok && req.ID != "" {
				return old.(store.Result), nil
			}
			res, err := swap(ctx, req)
			if err == nil && !res.Done {
				refused.Store(req.ID, res)
			}
			return res, err
		}
	}},
	{"calls a retry new", []string{"Retries", "Histories"}, func(st *tampered) {
		st.results(func(_ store.Request, res *store.Result) { res.Replayed = false })
	}},
	{"forgets everything in a restart", []string{"Tokens", "Retries", "Pruning", "Histories"}, func(st *tampered) {
		st.restart = func(again *tampered) { again.keepIn(memory.New(&memory.Options{Now: st.clock.Now})) }
	}},

	// The queue.
	{"grants out of order", []string{"Queue", "Table", "Histories"}, func(st *tampered) {
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			sw := req.Swaps[0]
			view, err := m.get(ctx, sw.Name)
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
	{"grants dead waiters", []string{"Queue", "Peers", "Table", "Histories"}, func(st *tampered) {
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
	{"keeps who leaves", []string{"Queue", "Claims", "Histories"}, func(st *tampered) {
		m := st.methods
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			if req.Swaps[0].Do != store.Leave {
				return m.swap(ctx, req)
			}
			view, err := m.get(ctx, req.Swaps[0].Name)
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
	{"knows no claims", []string{"Claims", "Sweep", "Table"}, func(st *tampered) {
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

	// The log.
	{"forgets an entry now and then", []string{"Table", "Histories"}, func(st *tampered) {
		careless := every(20)
		st.swaps(func(sw *store.Swap) {
			if careless() {
				sw.Note = nil
			}
		})
	}},
	{"does not name who lost", []string{"Table", "Queue", "Log"}, func(st *tampered) {
		st.pages(func(*store.LogQuery) {}, func(page *store.LogPage) {
			for i := range page.Entries {
				page.Entries[i].Other = store.Party{}
			}
		})
	}},
	{"includes the end of a period", []string{"Log"}, func(st *tampered) {
		st.pages(func(q *store.LogQuery) {
			if !q.To.IsZero() {
				q.To = q.To.Add(time.Microsecond)
			}
		}, func(*store.LogPage) {})
	}},
	{"includes the entry before which to read", []string{"Log"}, func(st *tampered) {
		st.pages(func(q *store.LogQuery) {
			if q.Before > 0 {
				q.Before++
			}
		}, func(*store.LogPage) {})
	}},
	{"tells of numbers only that it returns", []string{"Log"}, func(st *tampered) {
		st.pages(func(*store.LogQuery) {}, func(page *store.LogPage) {
			page.Last = 0
			for _, e := range page.Entries {
				page.Last = max(page.Last, e.Seq)
			}
		})
	}},
	{"hides the newest entry for a while", []string{"Log", "Table"}, func(st *tampered) {
		slow := every(3)
		st.pages(func(*store.LogQuery) {}, func(page *store.LogPage) {
			n := len(page.Entries)
			if n > 1 && slow() {
				page.Entries = slices.Delete(page.Entries, n-2, n-1)
			}
		})
	}},
	{"prunes what is young", []string{"Pruning"}, func(st *tampered) {
		var keep atomic.Int64
		sweep := st.sweep
		st.sweep = func(ctx context.Context, k store.Retention) (time.Duration, error) {
			keep.Store(k.MaxEntries)
			return sweep(ctx, k)
		}
		st.pages(func(*store.LogQuery) {}, func(page *store.LogPage) {
			if n := int(keep.Load()); n > 0 && len(page.Entries) > n {
				page.Entries = page.Entries[len(page.Entries)-n:]
			}
		})
	}},
	{"prunes without moving the floor", []string{"Pruning"}, func(st *tampered) {
		st.pages(func(*store.LogQuery) {}, func(page *store.LogPage) { page.Floor = 0 })
	}},

	// Lists.
	{"skips the first record of a next page", []string{"List", "Table"}, func(st *tampered) {
		list := st.list
		st.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			page, err := list(ctx, q)
			if q.After != "" && len(page.Records) > 1 {
				page.Records = page.Records[1:]
			}
			return page, err
		}
	}},
	{"finds prefixes in any case", []string{"List"}, func(st *tampered) {
		list := st.list
		st.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			prefix, limit := q.Prefix, q.Limit
			q.Prefix, q.Limit = "", 1<<30
			page, err := list(ctx, q)
			page.Records = slices.DeleteFunc(page.Records, func(r store.Record) bool {
				return len(r.Name) < len(prefix) || !strings.EqualFold(r.Name[:len(prefix)], prefix)
			})
			if limit == 0 {
				limit = 100
			}
			page.Records = page.Records[:min(len(page.Records), limit)]
			return page, err
		}
	}},
	{"lists under the session that took it", []string{"List"}, func(st *tampered) {
		list := st.list
		var first sync.Map // sessions by name and token
		st.records(func(rec *store.Record) { first.LoadOrStore(fmt.Sprint(rec.Name, rec.Token), rec.Holder.Session) })
		st.list = func(ctx context.Context, q store.Query) (store.Page, error) {
			session := q.Session
			q.Session = ""
			page, err := list(ctx, q)
			page.Records = slices.DeleteFunc(page.Records, func(r store.Record) bool {
				took, _ := first.LoadOrStore(fmt.Sprint(r.Name, r.Token), r.Holder.Session)
				return session != "" && took != session
			})
			return page, err
		}
	}},

	// News and life.
	{"has no news", []string{"Listen"}, func(st *tampered) { st.listen = new(store.Hub).Listen }},
	{"invents news", []string{"Listen"}, func(st *tampered) {
		hub := new(store.Hub)
		st.listen = hub.Listen
		var mu sync.Mutex
		var joined []store.Signal
		st.results(func(req store.Request, _ *store.Result) {
			mu.Lock()
			defer mu.Unlock()
			for _, sw := range req.Swaps {
				if sw.Do == store.Join {
					joined = append(joined, store.Signal{Ticket: sw.Ticket.ID})
				}
			}
			hub.Publish(joined, true)
		})
	}},
	{"works on after Close", []string{"Life"}, func(st *tampered) { st.unclosed = true }},
	{"acts for those who have gone", []string{"Life"}, func(st *tampered) {
		st.tireless = true
		swap := st.swap
		st.swap = func(ctx context.Context, req store.Request) (store.Result, error) {
			return swap(context.WithoutCancel(ctx), req)
		}
	}},
}
