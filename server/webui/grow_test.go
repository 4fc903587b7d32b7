package webui

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// treeOn are the names of branches and locks on a page of the tree, in their order,
// each with as many dots before it as it is deep.
func treeOn(body string) []string {
	var out []string
	depth := -1
	_, body, _ = strings.Cut(body, `id="tree"`)
	body, _, _ = strings.Cut(body, "</main>")
	for _, piece := range strings.Split(body, "<")[1:] {
		switch {
		case strings.HasPrefix(piece, "ul>"):
			depth++
		case strings.HasPrefix(piece, "/ul>"):
			depth--
		case strings.HasPrefix(piece, `div class="branch">`):
			out = append(out, strings.Repeat(".", depth))
		case len(out) > 0 && (strings.HasPrefix(piece, "bdi>") || strings.HasPrefix(piece, `span class="soft">`)):
			_, text, _ := strings.Cut(piece, ">")
			out[len(out)-1] += text + " "
		}
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func TestTree_UnfoldsDownToParts(t *testing.T) {
	v := visit(t, paths(), "Nobody")
	for address, want := range map[string][]string{
		"/ui/tree": {"Ivanov", "crm locks: 5 Petrova"},
		"/ui/tree?open=crm/&open=nothing/&open=x": {"Ivanov", "crm locks: 5 Petrova", ".contract locks: 4 Kim"},
		"/ui/tree?open=crm/contract/":             {"Ivanov", "crm locks: 5 Petrova"},
		treeOf(address7):                          {"Ivanov", "crm locks: 5 Petrova", ".contract locks: 4 Kim", "..7 parts: 2 Ivanov", "...address Petrova", "...lines Kim", "..70 Ivanov"},
		treeOf(contract7):                         {"Ivanov", "crm locks: 5 Petrova", ".contract locks: 4 Kim", "..7 parts: 2 Ivanov", "...address Petrova", "...lines Kim", "..70 Ivanov"},
		treeOf(allContracts):                      {"Ivanov", "crm locks: 5 Petrova", ".contract locks: 4 Kim", "..7 parts: 2 Ivanov", "..70 Ivanov"},
	} {
		if diff := cmp.Diff(want, treeOn(v.get(address))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}

func TestTree_CountsWhatTheReaderSeesAlone(t *testing.T) {
	l := paths()
	l.mutexes = append(l.mutexes, held(editlock.ID{Group: "hr", Mode: "salary", ID: "1"}, person("Chen"), time.Hour, time.Hour))
	for i := range 70 {
		l.mutexes = append(l.mutexes, held(editlock.ID{Group: "hr", Mode: "salary", ID: fmt.Sprint(100 + i), Part: "bonus"}, person("Chen"), time.Hour, time.Hour))
	}
	slices.SortFunc(l.mutexes, func(a, b editlock.Mutex) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	me := person("Kim")
	v := visit(t, l, "")
	areas := []editlock.Area{{Group: "crm", Mode: "contract"}, {Group: "hr", Mode: "*", Holder: me}}
	v.manager = New(l, &Options{Identify: func(*http.Request) Identity { return Identity{Owner: me, Visible: areas} }})
	body := v.get("/ui/tree?open=crm/&open=hr/&open=hr/salary/&open=/&page=+9&page=hr/salary/+2")
	if diff := cmp.Diff([]string{"crm locks: 5", ".contract locks: 4 Kim"}, treeOn(body)); diff != "" {
		t.Error(diff)
	}
	if n := countsOn(body)["locks"]; n != "5" {
		t.Errorf("%s locks in all", n)
	}
	for _, hidden := range []string{"hr", "salary", "71", "Chen", "Petrova</bdi></a> <span class=\"share"} {
		if strings.Contains(strings.ReplaceAll(body, "hreflang", ""), ">"+hidden+"<") {
			t.Errorf("it tells of %q", hidden)
		}
	}
}

func TestTree_LeavesOutWhatHasExpired(t *testing.T) {
	l := &fixed{mutexes: []editlock.Mutex{
		held(contract7, person("Kim"), time.Hour, -time.Second),
		held(editlock.ID{Group: "crm", Mode: "contract", ID: "8"}, person("Chen"), time.Hour, time.Hour),
	}}
	if diff := cmp.Diff([]string{"crm locks: 1", ".contract locks: 1", "..8 Chen"}, treeOn(visit(t, l, "").get(treeOf(allContracts)))); diff != "" {
		t.Error(diff)
	}
}

// walk goes through all pages of what is below a prefix, and all below that.
func walk(g *grower, prefix string, visit func(*branch)) {
	for n := 1; ; n++ {
		g.pages = map[string]int{prefix: n}
		found := g.kids(prefix)
		for _, b := range found.Branches {
			visit(b)
			if b.Turn != "" {
				walk(g, b.Prefix, visit)
			}
		}
		if found.Next == "" {
			return
		}
	}
}

func TestTree_HasEveryLockOnceWhateverItsName(t *testing.T) {
	names := []string{"", "a", "b!", "b", `"`, "c#d", "e/f", "é", "b%"}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func() string { return names[r.IntN(len(names))] }
		var locks []editlock.Mutex
		known := map[editlock.ID]bool{}
		for range r.IntN(300) {
			id := editlock.ID{Group: pick(), Mode: pick()}
			switch r.IntN(6) {
			case 0:
				id.Below = true
			case 1, 2:
				id.ID, id.Part = pick()+fmt.Sprint(r.IntN(3)), pick()
			default:
				id.ID = pick() + []string{"", "!", "0"}[r.IntN(3)]
			}
			if id.Validate() != nil || id.Below && id.Mode == "" && id.Group != "" && r.IntN(2) == 0 || known[id] {
				continue
			}
			known[id] = true
			for n := range 1 + r.IntN(2)*r.IntN(6) {
				m := held(id, person(fmt.Sprint("P", r.IntN(3))), time.Hour, time.Hour)
				m.Token, m.Sharing = editlock.Token(len(locks)+1), editlock.Shared
				if n == 0 && r.IntN(9) == 0 {
					m.ExpiresAt = epoch.Add(-time.Hour)
				}
				locks = append(locks, m)
			}
		}
		slices.SortStableFunc(locks, func(a, b editlock.Mutex) int { return strings.Compare(a.ID.String(), b.ID.String()) })
		var all []*lock
		for _, m := range locks {
			all = append(all, lockOf(m))
		}
		me := Identity{Owner: person("P0"), Visible: []editlock.Area{{Group: "a", Mode: "*"}, {Group: "b*", Mode: "b"}, {Group: "*", Mode: "*", Holder: person("P0")}}}
		p := newScan(all, false).seenBy(me)
		g := &grower{p, unfolded{}, me, epoch}
		want := map[string]int{} // holds by name
		for _, l := range p.locks {
			if g.sees(l) {
				want[l.Name]++
			}
		}
		got := map[string]int{}
		walk(g, "", func(b *branch) {
			if n := len(b.Holds) + b.More; n > 0 {
				if got[b.ID.String()] != 0 {
					t.Fatalf("seed %d: %s is there twice", seed, b.ID)
				}
				got[b.ID.String()] = n
			}
			below := 0
			for name, n := range want {
				if b.Prefix != "" && name != b.Prefix && strings.HasPrefix(name, b.Prefix) {
					below += n
				}
			}
			if b.Count != below || b.Count == 0 && len(b.Holds) == 0 {
				t.Fatalf("seed %d: %+v has %d below", seed, b, below)
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestTree_HasPagesOnEachLevel(t *testing.T) {
	l := crowd(2345)
	v := visit(t, l, "")
	body := v.get("/ui/tree?open=g1/&open=g1/m/&page=g1/m/+3")
	got := treeOn(body)
	if len(got) != 4+1+pageSize || !strings.Contains(body, "101–150 of 586") {
		t.Fatalf("%d rows:\n%s", len(got), body)
	}
	for _, want := range []string{`page=g1%2Fm%2F&#43;4" rel="next"`, `page=g1%2Fm%2F&#43;2" rel="prev"`} {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if last := v.get("/ui/tree?open=g1/&open=g1/m/&page=g1/m/+99"); !strings.Contains(last, "551–586 of 586") || strings.Contains(last, `rel="next"`) {
		t.Error("a page beyond the last is not the last")
	}
	if folded := (unfolded{open: []string{"g1/", "g1/m/", "g2/"}, pages: map[string]int{"": 2, "g1/m/": 3}}).turn("g1/"); folded != "/ui/tree?"+(url.Values{"open": {"g2/"}, "page": {" 2"}}).Encode() {
		t.Errorf("folded it is at %s", folded)
	}
}

func BenchmarkTree_OfAHundredThousand(b *testing.B) {
	l := crowd(100_000)
	var all []*lock
	for _, m := range l.mutexes {
		all = append(all, lockOf(m))
	}
	p := newScan(all, false).whole
	f := readUnfolded(url.Values{"open": {"g1/", "g1/m/", "g3/", "g3/m/"}, "page": {"g3/m/ 400"}})
	for b.Loop() {
		(&grower{p, f, Identity{}, epoch}).kids("")
	}
}
