package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/editlock/editlock/store"
)

// readBugs are in the log, in lists, in news and in a store's life.
var readBugs = []mutant{
	// The log.
	{"forgets an entry now and then", []string{"Table", "Histories"}, func(st *tampered) {
		careless := every(20)
		st.commitAll(func(sw *store.Op) {
			if careless() {
				sw.Event = nil
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
	{"takes all names that begin alike for a tree", []string{"Log"}, func(st *tampered) {
		st.pages(func(q *store.LogQuery) {
			q.Prefix, q.Tree = q.Prefix+q.Tree, ""
		}, func(*store.LogPage) {})
	}},
	{"forgets the parts of an object", []string{"Log"}, func(st *tampered) {
		st.pages(func(q *store.LogQuery) {
			if !store.IsNode(q.Tree) && q.Name == "" {
				q.Name, q.Tree = q.Tree, ""
			}
		}, func(*store.LogPage) {})
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
	{"examines all of the log for one page", []string{"Pieces"}, func(st *tampered) {
		log := st.log
		st.log = func(ctx context.Context, q store.LogQuery) (store.LogPage, error) {
			page, err := log(ctx, q)
			for err == nil && page.Next != 0 && len(page.Entries) < q.Limit {
				var more store.LogPage
				if q.After = page.Next; q.Newest {
					q.After, q.Before = 0, page.Next
				}
				more, err = log(ctx, q)
				page.Entries, page.Next, page.Examined = append(page.Entries, more.Entries...), more.Next, page.Examined+more.Examined
			}
			return page, err
		}
	}},
	{"reads on one entry too far", []string{"Pieces"}, func(st *tampered) {
		newest := false
		st.pages(func(q *store.LogQuery) { newest = q.Newest }, func(page *store.LogPage) {
			if page.Next != 0 && newest {
				page.Next--
			} else if page.Next != 0 {
				page.Next++
			}
		})
	}},
	{"tells an end that is not the first", []string{"Pieces"}, func(st *tampered) {
		ends := st.ends
		st.ends = func(ctx context.Context, holds []store.Hold, kinds []string) (store.Ends, error) {
			got, err := ends(ctx, holds, kinds)
			for i, e := range got.Entries {
				if e != nil {
					more, _ := ends(ctx, []store.Hold{{Name: e.Name, Token: e.Seq}}, kinds)
					if more.Entries[0] != nil {
						got.Entries[i] = more.Entries[0]
					}
				}
			}
			return got, err
		}
	}},

	// Lists.
	{"skips the first record of a next page", []string{"List", "Table"}, func(st *tampered) {
		list := st.list
		st.list = func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
			page, err := list(ctx, q)
			if q.After != "" && len(page.Records) > 1 {
				page.Records = page.Records[1:]
			}
			return page, err
		}
	}},
	{"takes a short page for the last", []string{"List"}, func(st *tampered) {
		list := st.list
		st.list = func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
			page, err := list(ctx, q)
			if len(page.Records) < q.Limit {
				page.Next, page.NextToken = "", 0
			}
			return page, err
		}
	}},
	{"finds prefixes in any case", []string{"List"}, func(st *tampered) {
		list := st.list
		st.list = func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
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
		st.list = func(ctx context.Context, q store.RecordQuery) (store.RecordPage, error) {
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
	{"has no news", []string{"Listen"}, func(st *tampered) { st.listen = new(store.Hub).Subscribe }},
	{"invents news", []string{"Listen"}, func(st *tampered) {
		hub := new(store.Hub)
		st.listen = hub.Subscribe
		var mu sync.Mutex
		var joined []store.Signal
		st.results(func(req store.Txn, _ *store.Result) {
			mu.Lock()
			defer mu.Unlock()
			for _, sw := range req.Ops {
				if sw.Do == store.Join {
					joined = append(joined, store.Signal{Waiter: sw.Waiter.ID})
				}
			}
			hub.Publish(joined, true)
		})
	}},
	{"works on after Close", []string{"Life"}, func(st *tampered) { st.unclosed = true }},
	{"acts for those who have gone", []string{"Life"}, func(st *tampered) {
		st.tireless = true
		op := st.op
		st.op = func(ctx context.Context, req store.Txn) (store.Result, error) {
			return op(context.WithoutCancel(ctx), req)
		}
	}},
}
