package kvtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock/store/kv"
)

var logLaws = []law{
	{"entries are found by each of their tags, in both directions", lawLogTags},
	{"pages of the log follow each other", lawLogPages},
	{"a thousand pages of the log are read in one call", lawLogManyPages},
	{"an ID that was logged makes a transaction a replay", lawReplay},
	{"IDs are remembered for the window, trimmed or not", lawReplayWindow},
	{"trimming takes the oldest, and the floor tells", lawTrim},
	{"who reads on behind the last entry seen misses none", lawTail},
}

var lifeLaws = []law{
	{"of many who write what is absent at once, one does", lawOneWinner},
	{"listeners hear of notes and growth of what was done", lawNews},
	{"a text between processes is heard, and nothing is kept of it", lawCast},
	{"a context that has ended is heeded, and changes nothing", lawContext},
	{"a closed engine answers everything with ErrClosed", lawClosed},
}

func (t *test) page(q kv.LogQuery) kv.LogPage {
	t.Helper()
	return t.pages(q)[0]
}

func (t *test) pages(queries ...kv.LogQuery) []kv.LogPage {
	t.Helper()
	pages, err := t.e.Log(t.ctx, queries...)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != len(queries) {
		t.Fatalf("%d pages for %d queries", len(pages), len(queries))
	}
	return pages
}

// numbers are those of the entries of a page.
func (t *test) numbers(q kv.LogQuery) []uint64 {
	t.Helper()
	var numbers []uint64
	for _, e := range t.page(q).Entries {
		numbers = append(numbers, e.Number)
	}
	return numbers
}

// write logs n entries, each with the tag "all" and one of three others.
func (t *test) write(n int) []uint64 {
	t.Helper()
	var numbers []uint64
	for i := range n {
		a := t.commit(kv.Txn{Numbers: 1, Log: []kv.Entry{{Number: 1, Value: value(nth("", i)), Tags: []string{"all", nth("t", i%3)}}}})[0]
		numbers = append(numbers, a.First)
	}
	return numbers
}

func lawLogTags(t *test) {
	all := t.write(12)
	want := map[string][]uint64{"": all, "all": all, "none": nil, "al": nil, "ALL": nil}
	for i, n := range all {
		want[nth("t", i%3)] = append(want[nth("t", i%3)], n)
	}
	for tag, numbers := range want {
		t.same("entries with "+tag, numbers, t.numbers(kv.LogQuery{Tag: tag, Limit: 100}))
		numbers = slices.Clone(numbers)
		slices.Reverse(numbers)
		t.same("newest entries with "+tag, numbers, t.numbers(kv.LogQuery{Tag: tag, Newest: true, Limit: 100}))
	}
	for i, e := range t.page(kv.LogQuery{Limit: 100}).Entries {
		if string(e.Value) != string(value(nth("", i))) || e.At.IsZero() {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
}

func lawLogPages(t *test) {
	all := t.write(10)
	for _, tag := range []string{"", "all"} {
		t.same("after", all[3:], t.numbers(kv.LogQuery{Tag: tag, After: all[2], Limit: 100}))
		t.same("after and before", all[3:6], t.numbers(kv.LogQuery{Tag: tag, After: all[2], Before: all[6], Limit: 100}))
		t.same("limited", all[3:5], t.numbers(kv.LogQuery{Tag: tag, After: all[2], Limit: 2}))
		t.same("newest before", []uint64{all[5], all[4]}, t.numbers(kv.LogQuery{Tag: tag, Before: all[6], Newest: true, Limit: 2}))
		t.same("after all", []uint64(nil), t.numbers(kv.LogQuery{Tag: tag, After: all[9], Limit: 2}))
		t.same("an empty window", []uint64(nil), t.numbers(kv.LogQuery{Tag: tag, After: all[6], Before: all[3], Limit: 2}))
	}
}

func lawLogManyPages(t *test) {
	all := t.write(10)
	queries := make([]kv.LogQuery, 1000)
	for i := range queries {
		queries[i] = kv.LogQuery{Tag: nth("t", i%4), After: all[i%10], Newest: i%2 == 0, Limit: 1 + i%3}
	}
	pages := t.pages(queries...)
	for i, page := range pages {
		want := pages[i%60] // of the same query
		if i < 60 {
			want = t.page(queries[i])
		}
		t.same("page "+nth("", i), want.Entries, page.Entries)
		if page.Last < all[9] || page.Now.IsZero() {
			t.Fatalf("page %d is %+v", i, page)
		}
	}
}

// logged is a transaction that logs an entry under an ID.
func logged(key, once, id string) kv.Txn {
	return kv.Txn{
		Once: once, If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 1, Then: []kv.Write{{Key: key, Number: 1}},
		Log: []kv.Entry{{Number: 1, ID: id, Value: value(id)}}, Read: []kv.Range{{Key: key}},
	}
}

func lawReplay(t *test) {
	a := t.commit(logged("a", "one", "one"))[0]
	again := t.commit(logged("a", "one", "one"))[0]
	if !a.Done || a.Replayed || again.Done || !again.Replayed || len(again.Found[0].Rows) != 1 {
		t.Fatalf("first %+v, then %+v", a, again)
	}
	t.put(kv.Write{Key: "a", Delete: true})
	if again = t.commit(logged("a", "one", "one"))[0]; !again.Replayed || t.row("a") != nil {
		t.Fatalf("once more: %+v", again)
	}
	t.put(kv.Write{Key: "b"})
	if refused := t.commit(logged("b", "two", "two"))[0]; refused.Done || refused.Replayed {
		t.Fatalf("refused: %+v", refused)
	}
	if after := t.commit(logged("c", "two", "three"))[0]; !after.Done {
		t.Fatalf("under the ID of a refused one: %+v", after)
	}
	if other := t.commit(logged("d", "three", "four"))[0]; !other.Replayed {
		t.Fatalf("an entry's ID is not remembered: %+v", other)
	}
	if none := t.commit(logged("e", "", ""), logged("f", "", ""))[1]; !none.Done {
		t.Fatalf("without an ID: %+v", none)
	}
}

func lawReplayWindow(t *test) {
	t.exact()
	t.commit(logged("a", "one", "one"))
	t.clock.Advance(kv.Window - time.Microsecond)
	if err := t.e.Trim(t.ctx, kv.Keep{Before: t.clock.Now(), MaxEntries: 1}); err != nil {
		t.Fatal(err)
	}
	if a := t.commit(logged("a", "one", "one"))[0]; !a.Replayed {
		t.Errorf("just before the end: %+v", a)
	}
}

func lawTrim(t *test) {
	t.exact()
	var all []uint64
	for range 10 {
		all = append(all, t.write(1)...)
		t.clock.Advance(time.Minute)
	}
	trim := func(keep kv.Keep, want []uint64) {
		t.Helper()
		if err := t.e.Trim(t.ctx, keep); err != nil {
			t.Fatal(err)
		}
		page := t.page(kv.LogQuery{Limit: 100})
		t.same("entries", want, t.numbers(kv.LogQuery{Limit: 100}))
		t.same("entries by tag", want, t.numbers(kv.LogQuery{Tag: "all", Limit: 100}))
		if first := len(all) - len(want); first > 0 && (page.Floor < all[first-1] || len(want) > 0 && page.Floor >= want[0]) || first == 0 && page.Floor != 0 {
			t.Errorf("the floor is %d; kept is %v of %v", page.Floor, want, all)
		}
		if page.Last < all[9] {
			t.Errorf("the last number is %d", page.Last)
		}
	}
	t.clock.Advance(time.Second)
	trim(kv.Keep{MaxEntries: 1}, all[1:]) // the first is older than the window now, no other one
	t.clock.Advance(kv.Window)
	trim(kv.Keep{}, all[1:])
	trim(kv.Keep{MaxEntries: 7}, all[3:])
	trim(kv.Keep{Before: t.clock.Now().Add(-15*time.Minute - 2*time.Second), MaxEntries: 100}, all[5:])
	trim(kv.Keep{Before: t.clock.Now()}, nil)
}

func lawTail(t *test) {
	const writers, each, limit = 4, 25, 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				txn := kv.Txn{Numbers: 1, Log: []kv.Entry{{Number: 1, Value: value(nth(nth("", i), j)), Tags: []string{"all"}}}}
				if _, err := t.e.Commit(t.ctx, []kv.Txn{txn}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	for _, tag := range []string{"", "all"} {
		var seen []uint64
		after, finished := uint64(0), false
		for {
			page := t.page(kv.LogQuery{Tag: tag, After: after, Limit: limit})
			for _, e := range page.Entries {
				seen = append(seen, e.Number)
			}
			if n := len(page.Entries); n == limit {
				after = page.Entries[n-1].Number
				continue
			}
			after = max(after, page.Last) // a page that is not full is all there is up to Last
			if finished {
				break
			}
			select {
			case <-written:
				finished = true
			default:
			}
		}
		t.same("entries seen while they were written", t.numbers(kv.LogQuery{Limit: 1000}), seen)
	}
}

func lawOneWinner(t *test) {
	for round := range 10 {
		key := nth("k", round)
		var mu sync.Mutex
		var done []uint64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				txn := kv.Txn{If: []kv.Cond{{Key: key, Absent: true}}, Numbers: 1, Then: []kv.Write{{Key: key, Number: 1}}, Read: []kv.Range{{Key: key}}}
				answers, err := t.e.Commit(t.ctx, []kv.Txn{txn})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if answers[0].Done {
					done = append(done, answers[0].First)
				} else if len(answers[0].Found[0].Rows) != 1 {
					t.Errorf("a loser is answered %+v", answers[0])
				}
			})
		}
		wg.Wait()
		if len(done) != 1 || t.row(key).Rev != done[0] {
			t.Fatalf("done were %v; the row is %+v", done, t.row(key))
		}
	}
}

func lawNews(t *test) {
	heard := make(chan kv.News, 100)
	stop := t.e.Listen(func(n kv.News) { heard <- n })
	defer stop()
	wait := func(what string, enough func(n kv.News) bool) kv.News {
		t.Helper()
		deadline := time.NewTimer(30 * time.Second)
		defer deadline.Stop()
		for {
			select {
			case n := <-heard:
				if enough(n) {
					return n
				}
			case <-deadline.C:
				t.Fatal("no news of " + what)
			}
		}
	}
	t.commit(kv.Txn{If: []kv.Cond{{Key: "absent"}}, Messages: []kv.Message{{To: "ann", Text: "refused"}}})
	t.commit(kv.Txn{
		Numbers: 1, Then: []kv.Write{{Key: "a", Number: 1, Value: value("a")}},
		Messages: []kv.Message{{To: "ann", Text: "done", N: 1}}, Read: []kv.Range{{Key: "a"}},
	})
	n := wait("a note", func(n kv.News) bool { return len(n.Messages) > 0 })
	if len(n.Messages) != 1 || n.Messages[0].To != "ann" || n.Messages[0].Text != "done" {
		t.Fatalf("heard of %+v", n)
	}
	if along := n.Messages[0].Found; along != nil && string(along[0].Rows[0].Value) != string(value("a")) {
		t.Errorf("along went %+v", along)
	}
	if t.row("a") == nil {
		t.Error("told before it was done")
	}
	t.write(1)
	wait("the log", func(n kv.News) bool { return n.Logged })
	stop()
}

func lawContext(t *test) {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	if _, err := t.e.Commit(ctx, []kv.Txn{{Then: []kv.Write{{Key: "a"}}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := t.e.Read(ctx, kv.Range{Key: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if t.row("a") != nil {
		t.Error("it was written")
	}
}

func lawClosed(t *test) {
	t.put(kv.Write{Key: "a"})
	if err := t.e.Close(); err != nil {
		t.Fatal(err)
	}
	_, commit := t.e.Commit(t.ctx, []kv.Txn{{}})
	_, read := t.e.Read(t.ctx, kv.Range{Key: "a"})
	_, log := t.e.Log(t.ctx, kv.LogQuery{Limit: 1})
	for what, err := range map[string]error{"Commit": commit, "Read": read, "Log": log, "Trim": t.e.Trim(t.ctx, kv.Keep{MaxEntries: 1})} {
		if !errors.Is(err, kv.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := t.e.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// lawCast is of engines that can. Their own texts come back to them.
func lawCast(t *test) {
	c, ok := t.e.(kv.Broadcaster)
	if !ok || !c.CanBroadcast() {
		t.Skip("it carries no texts")
	}
	heard := make(chan string, 10)
	stop := t.e.Listen(func(n kv.News) {
		for _, text := range n.Casts {
			heard <- text
		}
	})
	before := t.page(kv.LogQuery{Limit: 1}).Last
	texts := []string{"{}", "привет \"\\ \u2028", strings.Repeat("x", kv.MaxBroadcast)}
	for _, text := range texts {
		for got := ""; got != text; {
			if err := c.Broadcast(t.ctx, text); err != nil {
				t.Fatal(err)
			}
			select {
			case got = <-heard:
			case <-time.After(100 * time.Millisecond): // the listener may not be there yet
			case <-t.ctx.Done():
				t.Fatal("a text is not heard")
			}
		}
	}
	stop()
	if page := t.page(kv.LogQuery{Limit: 1}); page.Last != before || len(page.Entries) > 0 {
		t.Errorf("the log ends at %d, with %d entries; it ended at %d", page.Last, len(page.Entries), before)
	}
}
