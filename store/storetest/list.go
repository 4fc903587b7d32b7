package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/editlock/editlock/store"
)

var listLaws = []law{
	{"records come in the order of their names, by bytes", lawListOrder, 0},
	{"a prefix is literal and compared by bytes", lawListPrefix, 0},
	{"session and user select exactly", lawListWho, 0},
	{"a touch that changes the holder moves the record to them", lawListMoves, 0},
	{"records that ended or changed hands are no longer listed under their holders", lawListForgets, 0},
	{"pages follow each other without gap or overlap", lawListPages, 0},
	{"pages follow each other, whatever has expired in between", lawListExpired, 0},
	{"a page examines a bounded number of records, and reading on misses none", lawListPieces, 0},
	{"a hundred is the limit unless another is given", lawListDefault, 0},
	{"filters work together", lawListTogether, 0},
}

func (t *test) names(q store.RecordQuery) []string {
	t.Helper()
	var names []string
	for _, rec := range t.list(q) {
		names = append(names, rec.Name)
	}
	return names
}

// awkward are names in the order of their bytes.
var awkward = []string{
	" ", "!", "%", "%%", "*", "/", "A", "A/", "A/1", "A/10", "A/2", "B", "[a]", "\\", "_", "__", "a", "a ", "a%", "a%b",
	"a'", "a/", "ab", "a\u0301", "e\u0301", "\u00e9", "\u0416", "\ufffd", "\uffff", "\U0001F512",
}

func lawListOrder(t *test) {
	if !slices.IsSorted(awkward) {
		t.Fatal("the names of this test are not sorted")
	}
	for i := range awkward {
		t.do(acquire(awkward[(i*7)%len(awkward)], "ann", t.idle(600)))
	}
	t.wantSame("names", awkward, t.names(store.RecordQuery{}))
}

func lawListPrefix(t *test) {
	for _, name := range awkward {
		t.do(acquire(name, "ann", t.idle(600)))
	}
	for _, prefix := range append([]string{"", "A/1", "a%", "zz", "\U0001F512x", "\xff", "\U0001F512"[:2], "\u0416"[:1]}, awkward...) {
		var want []string
		for _, name := range awkward {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		t.wantSame(fmt.Sprintf("names that begin with %q", prefix), want, t.names(store.RecordQuery{Prefix: prefix}))
	}
}

func lawListWho(t *test) {
	holders := []store.Party{
		{Session: "s", User: "u"},
		{Session: "s1", User: "u"},
		{Session: "S", User: "U"},
		{Session: "s ", User: "u "},
		{Session: "u", User: "s"},
		{Session: "%", User: "%"},
		{Session: "", User: ""},
		{Session: "s", User: ""},
		{Session: "é", User: "e\u0301"},
		{Session: "e\u0301", User: "é"},
	}
	for i, holder := range holders {
		sw := acquire(fmt.Sprint("n", i), "", t.idle(600))
		sw.Holder = &holder
		t.do(sw)
	}
	for _, key := range []string{"s", "s1", "S", "s ", "u", "U", "u ", "%", "é", "e\u0301", "nobody"} {
		var bySession, byUser []string
		for i, holder := range holders {
			if holder.Session == key {
				bySession = append(bySession, fmt.Sprint("n", i))
			}
			if holder.User == key {
				byUser = append(byUser, fmt.Sprint("n", i))
			}
		}
		t.wantSame(fmt.Sprintf("names of session %q", key), bySession, t.names(store.RecordQuery{Session: key}))
		t.wantSame(fmt.Sprintf("names of user %q", key), byUser, t.names(store.RecordQuery{User: key}))
	}
}

func lawListMoves(t *test) {
	rec := t.do(acquire("a", "ann", t.idle(60)))
	sw := renew("a", rec.Token)
	sw.Holder = &store.Party{Session: "bob", User: "user of bob"}
	t.do(sw)
	for _, c := range []struct {
		q    store.RecordQuery
		want []string
	}{
		{store.RecordQuery{Session: "ann"}, nil},
		{store.RecordQuery{User: "user of ann"}, nil},
		{store.RecordQuery{Session: "bob"}, []string{"a"}},
		{store.RecordQuery{User: "user of bob"}, []string{"a"}},
	} {
		t.wantSame(fmt.Sprintf("names for %+v", c.q), c.want, t.names(c.q))
	}
}

func lawListForgets(t *test) {
	t.keepAlive("peer", 100)
	for _, name := range []string{"dropped", "expired", "granted", "kept"} {
		terms := t.idle(60)
		if name == "expired" {
			terms = t.idle(3)
		}
		t.do(acquire(name, "ann", terms))
	}
	over := t.do(acquire("taken over", "ann", t.idle(60)))
	t.do(takeOver("taken over", "bob", over.Token, t.idle(60)))
	t.do(join("granted", "bob", "peer", t.idle(60)))
	t.do(release("granted", "ann"))
	t.do(release("dropped", "ann"))
	t.pass(4)
	for range 2 {
		t.wantSame("names of ann", []string{"kept"}, t.names(store.RecordQuery{Session: "ann"}))
		t.wantSame("names of ann's user", []string{"kept"}, t.names(store.RecordQuery{User: "user of ann"}))
		t.wantSame("names of bob", []string{"granted", "taken over"}, t.names(store.RecordQuery{Session: "bob"}))
		t.sweep()
	}
}

func lawListPages(t *test) {
	var all []string
	for i := range 57 {
		all = append(all, fmt.Sprintf("p/%02d", i))
	}
	for _, name := range append([]string{"a", "p", "p0", "q"}, all...) {
		t.do(acquire(name, "ann", t.idle(600)))
	}
	for _, limit := range []int{1, 3, 19, 56, 57, 58} {
		var got []string
		q := store.RecordQuery{Prefix: "p/", Limit: limit}
		for {
			page := t.names(q)
			got = append(got, page...)
			if len(page) < limit || len(got) > len(all) {
				break
			}
			q.After = page[len(page)-1]
		}
		t.wantSame(fmt.Sprint("pages of ", limit), all, got)
	}
	t.wantSame("names after one that is not there", []string{"p/10"}, t.names(store.RecordQuery{After: "p/09a", Limit: 1}))
	t.wantSame("names after one before the prefix", all[:1], t.names(store.RecordQuery{Prefix: "p/", After: "a", Limit: 1}))
	t.wantSame("names after one behind the prefix", []string{}, t.names(store.RecordQuery{Prefix: "p/", After: "q"}))
}

func lawListExpired(t *test) {
	var alive []string
	for i := range 60 {
		name := fmt.Sprintf("n%02d", i)
		if i%3 == 0 {
			alive = append(alive, name)
			t.do(acquire(name, "ann", t.idle(600)))
		} else {
			t.do(acquire(name, "ann", t.idle(3)))
		}
	}
	t.pass(4)
	for _, q := range []store.RecordQuery{{}, {Session: "ann"}, {User: "user of ann"}, {Prefix: "n"}} {
		q.Limit = 7
		var got []string
		for {
			page := t.names(q)
			got = append(got, page...)
			if len(page) < q.Limit || len(got) > len(alive) {
				break
			}
			q.After = page[len(page)-1]
		}
		t.wantSame(fmt.Sprintf("names for %+v", q), alive, got)
	}
}

// lawListPieces has many end together that no sweep has removed yet.
func lawListPieces(t *test) {
	const many = store.ListPiece + 2*step
	alive := []string{"a", "gone/00700-", "gone/02200-", "z"}
	ops := make([]store.Op, 0, step)
	for i := range many {
		ops = append(ops, acquire(fmt.Sprintf("gone/%05d", i), "ann", t.idle(3)))
		if len(ops) == step {
			t.commit("", ops...)
			ops = ops[:0]
		}
	}
	for _, name := range alive {
		t.do(acquire(name, "ann", t.idle(60000)))
	}
	t.pass(4)
	for _, q := range []store.RecordQuery{{}, {Session: "ann"}, {User: "user of ann"}, {Prefix: "gone/"}, {Session: "nobody"}} {
		want := alive
		switch {
		case q.Session == "nobody":
			want = nil
		case q.Prefix != "":
			want = alive[1:3]
		}
		for _, q.Limit = range []int{1, 3, 700} {
			var got []string
			pages := 0
			for q.After = ""; pages == 0 || q.After != ""; pages++ {
				page, err := t.st.List(t.ctx, q)
				if err != nil || pages > many {
					t.Fatalf("page %d of %+v: %v", pages, q, err)
				}
				for _, rec := range page.Records {
					got = append(got, rec.Name)
				}
				if page.Examined < len(page.Records) || page.Examined > q.Limit+store.ListPiece {
					t.Errorf("%d records of %d examined for %+v", len(page.Records), page.Examined, q)
				}
				q.After, q.AfterToken = page.Next, page.NextToken
			}
			t.wantSame(fmt.Sprintf("names for %+v", q), want, got)
			if most := 2 + len(want) + 2*many/store.ListPiece; pages > most {
				t.Errorf("%d pages for %+v; want %d at most", pages, q, most)
			}
		}
	}
}

func lawListDefault(t *test) {
	ops := make([]store.Op, 120)
	for i := range ops {
		ops[i] = acquire(fmt.Sprintf("n%03d", i), "ann", t.idle(600))
	}
	t.commit("", ops...)
	for limit, want := range map[int]int{0: 100, 1: 1, 101: 101, 1000: 120} {
		if n := len(t.list(store.RecordQuery{Limit: limit})); n != want {
			t.Errorf("%d records with limit %d; want %d", n, limit, want)
		}
	}
}

func lawListTogether(t *test) {
	for i := range 40 {
		sw := acquire(fmt.Sprintf("%c/%02d", 'a'+i%2, i), "", t.idle(600))
		sw.Holder = &store.Party{Session: fmt.Sprint("s", i/2%2), User: fmt.Sprint("u", i/4%2)}
		t.do(sw)
	}
	q := store.RecordQuery{Prefix: "a/", Session: "s1", User: "u0", After: "a/10", Limit: 2}
	t.wantSame("names", []string{"a/18", "a/26"}, t.names(q))
	q.User = "u1"
	t.wantSame("names", []string{"a/14", "a/22"}, t.names(q))
	q.Session, q.User = "", "u1"
	t.wantSame("names", []string{"a/12", "a/14"}, t.names(q))
}

// PageQueries are lists for an engine to count what it reads for a page of each. The names
// are a/mode/N and b/mode/N; most are held by the user and session many, some by few.
var PageQueries = []store.RecordQuery{
	{},
	{Prefix: "a/"},
	{Prefix: "b/mode/"},
	{Prefix: "nosuch/"},
	{After: "a/mode/2"},
	{User: "many"},
	{User: "many", Prefix: "b/"},
	{User: "many", Prefix: "nosuch/"},
	{User: "many", After: "b/mode/1"},
	{User: "few"},
	{User: "nosuch"},
	{Session: "many", Prefix: "b/"},
	{Session: "few"},
	{Session: "nosuch"},
}
