package webui

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/editlock/editlock"
)

const (
	treePath = "/ui/tree"
	// maxOpen bounds what of the tree is unfolded at a time.
	maxOpen = 40
	// maxHolders is how many of those who hold one name the tree shows.
	maxHolders = 3
)

// unfolded is what of the tree is unfolded, as an address says. A branch is known by how
// the names of all that is below it begin: crm/ is a group, crm/contract/ a mode of it,
// and crm/contract/7# an object with parts.
type unfolded struct {
	open  []string
	pages map[string]int // of the branches below one, from 1; "" is the root
}

func readUnfolded(q url.Values) unfolded {
	f := unfolded{pages: map[string]int{}}
	for _, prefix := range q["open"] {
		if len(f.open) < maxOpen && isBranch(prefix) && !slices.Contains(f.open, prefix) {
			f.open = append(f.open, prefix)
		}
	}
	for _, text := range q["page"] {
		prefix, number, _ := strings.Cut(text, " ") // canonical names have no blanks
		if n, err := strconv.Atoi(number); err == nil && n > 1 && n <= maxLocks && (prefix == "" || f.has(prefix)) {
			f.pages[prefix] = n
		}
	}
	return f
}

// isBranch reports whether a text is how names begin that are below a group, a mode or
// an object.
func isBranch(prefix string) bool {
	slashes, end := strings.Count(prefix, "/"), strings.IndexByte(prefix, '#')
	if end >= 0 {
		return slashes == 2 && end == len(prefix)-1
	}
	return (slashes == 1 || slashes == 2) && strings.HasSuffix(prefix, "/")
}

func (f unfolded) has(prefix string) bool { return slices.Contains(f.open, prefix) }

// address is the tree as it is unfolded.
func (f unfolded) address() string {
	q := url.Values{"open": f.open}
	for prefix, n := range f.pages {
		q.Add("page", prefix+" "+strconv.Itoa(n))
	}
	slices.Sort(q["page"])
	if len(f.open) == 0 {
		q.Del("open")
	}
	return withQuery(treePath, q)
}

// turn is the tree with one branch unfolded, or folded with all that is below it.
func (f unfolded) turn(prefix string) string {
	to := unfolded{pages: map[string]int{}}
	for _, open := range f.open {
		if !strings.HasPrefix(open, prefix) {
			to.open = append(to.open, open)
		}
	}
	for of, n := range f.pages {
		if of == "" || !strings.HasPrefix(of, prefix) {
			to.pages[of] = n
		}
	}
	if !f.has(prefix) {
		to = unfolded{open: append(slices.Clone(f.open), prefix), pages: f.pages}
	}
	return to.address()
}

// paged is the tree with another page of what is below one branch.
func (f unfolded) paged(prefix string, n int) string {
	to := unfolded{open: f.open, pages: map[string]int{}}
	for of, page := range f.pages {
		to.pages[of] = page
	}
	if to.pages[prefix] = n; n <= 1 {
		delete(to.pages, prefix)
	}
	return to.address()
}

// treeOf is the address of the tree that is unfolded down to a lock.
func treeOf(id editlock.ID) string {
	var f unfolded
	name := id.String()
	for i := range len(name) {
		if name[i] == '/' || name[i] == '#' {
			f.open = append(f.open, name[:i+1])
		}
	}
	if !id.Below && id.Part == "" {
		f.open = append(f.open, namesBelow(id))
	}
	return f.address()
}

// branch is a group, a mode, an object or a part in the tree.
type branch struct {
	Prefix  string // of the names below; empty: nothing can be
	Name    string // what it is called; empty: it has no group, or no mode
	ID      editlock.ID
	Has     bool  // it is a lock, held or not
	Depth   int   // 0: a group
	Count   int   // locks below it
	Holds   []row // who holds it, the first
	More    int   // and how many do beyond those
	Waiting int

	Open bool
	Turn string // address that unfolds or folds it; empty: nothing is below
	Kids *kids  // if it is unfolded
}

// kids are a page of what is below a branch.
type kids struct {
	Branches   []*branch
	All        int
	From, To   int
	Prev, Next string // addresses; empty: there is none
}

// treeView is the page.
type treeView struct {
	Kids  *kids
	Locks int
	Cut   bool
	Back  string
}

// grower grows the tree of what a reader may see. All that others may not see is left
// out before anything is counted.
type grower struct {
	*part
	unfolded
	me  Identity
	now time.Time
}

func (g *grower) sees(l *lock) bool { return g.shows(l) && l.stands(g.now) }

// from is where the names begin that are not before one.
func (g *grower) from(name string) int {
	i, _ := slices.BinarySearchFunc(g.locks, name, func(l *lock, name string) int { return strings.Compare(l.Name, name) })
	return i
}

// span is where the locks are whose names begin with a prefix.
func (g *grower) span(prefix string) (from, to int) {
	if prefix == "" {
		return 0, len(g.locks)
	}
	last := len(prefix) - 1
	return g.from(prefix), g.from(prefix[:last] + string(prefix[last]+1)) // a slash or #
}

// kids are the branches below a prefix, of the page that the address says.
func (g *grower) kids(prefix string) *kids {
	page := max(g.pages[prefix], 1)
	out := &kids{}
	var last []*lock // the first of each branch of the last page
	from, to := g.span(prefix)
	known := ""
	for i := from; i < to; i++ {
		l := g.locks[i]
		if l.Name == prefix || !g.sees(l) {
			continue
		}
		name := branchOf(l, prefix)
		if name == known {
			continue
		}
		if known = name; len(name) < len(l.Name) && l.Name[len(name)] == '#' && g.isHeld(name) {
			continue // the object stands before its parts, though not next to them
		}
		if out.All%pageSize == 0 && (out.All < page*pageSize) {
			last = last[:0]
		}
		if out.All < page*pageSize {
			last = append(last, l)
		}
		out.All++
	}
	if len(last) > 0 {
		out.From = (min(out.All, page*pageSize)-1)/pageSize*pageSize + 1
		out.To = out.From + len(last) - 1
		page = (out.From-1)/pageSize + 1
	}
	for _, l := range last {
		b := branchAt(l, prefix)
		g.grow(b)
		out.Branches = append(out.Branches, b)
	}
	if page > 1 {
		out.Prev = g.paged(prefix, page-1)
	}
	if out.To < out.All {
		out.Next = g.paged(prefix, page+1)
	}
	return out
}

// branchOf is the name of the branch below a prefix that a lock belongs to.
func branchOf(l *lock, prefix string) string {
	rest := l.Name[len(prefix):]
	if end := strings.IndexByte(rest, '/'); end >= 0 {
		return l.Name[:len(prefix)+end+1]
	}
	if end := strings.IndexByte(rest, '#'); end >= 0 {
		return l.Name[:len(prefix)+end]
	}
	return l.Name
}

// isHeld reports whether the reader sees a hold of a name.
func (g *grower) isHeld(name string) bool {
	for i := g.from(name); i < len(g.locks) && g.locks[i].Name == name; i++ {
		if g.sees(g.locks[i]) {
			return true
		}
	}
	return false
}

// branchAt is the branch below a prefix that a lock belongs to, before it has grown.
func branchAt(l *lock, prefix string) *branch {
	b := &branch{Prefix: branchOf(l, prefix), ID: l.ID, Has: true}
	switch {
	case prefix == "":
		b.Name, b.ID = l.ID.Group, editlock.ID{Group: l.ID.Group, Below: true}
	case strings.HasSuffix(prefix, "#"):
		b.Prefix, b.Name, b.Depth = "", l.ID.Part, 3
	case strings.HasSuffix(b.Prefix, "/"):
		b.Name, b.Depth = l.ID.Mode, 1
		b.ID, b.Has = editlock.ID{Group: l.ID.Group, Mode: l.ID.Mode, Below: true}, l.ID.Mode != ""
	default:
		b.Name, b.Depth = l.ID.ID, 2
		b.ID.Part = ""
		b.Prefix += "#"
	}
	return b
}

// grow counts what is below a branch, finds who holds it, and unfolds it.
func (g *grower) grow(b *branch) {
	if b.Has {
		name := b.ID.String()
		for i := g.from(name); i < len(g.locks) && g.locks[i].Name == name; i++ {
			if l := g.locks[i]; !g.sees(l) {
				continue
			} else if b.Waiting = l.Waiting; len(b.Holds) < maxHolders {
				b.Holds = append(b.Holds, rowOf(l, g.me))
			} else {
				b.More++
			}
		}
	}
	if b.Prefix == "" {
		return
	}
	from, to := g.span(b.Prefix)
	for _, l := range g.locks[from:to] {
		if l.Name != b.Prefix && g.sees(l) {
			b.Count++
		}
	}
	if b.Count > 0 {
		b.Open, b.Turn = g.has(b.Prefix), g.turn(b.Prefix)
	}
	if b.Open {
		b.Kids = g.kids(b.Prefix)
	}
}

// tree shows what is held as a tree, as far as the reader has unfolded it.
func (h *handler) tree(w http.ResponseWriter, r *http.Request) {
	if h.switchedLanguage(w, r) {
		return
	}
	p, now, err := h.seen(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	me, f := h.identify(r), readUnfolded(r.URL.Query())
	v := treeView{Locks: p.count, Cut: p.cut, Back: f.address()}
	if err := h.look(r.Context(), me, p, func() { v.Kids = (&grower{p, f, me, now}).kids("") }); err != nil {
		h.refuse(w, r, err)
		return
	}
	h.render(w, r, page{Name: "tree", Title: "tree.title", Live: true, Nav: "tree"}, v)
}
