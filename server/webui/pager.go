package webui

import (
	"slices"
	"strconv"
)

// column is a heading of the list. URL is the list ordered by it, or turned round
// if it is so already; empty: it does not order the list.
type column struct {
	Key  string // of its text
	Sort string // as aria-sort has it; empty: the list is not ordered by it
	URL  string
}

// columns are all headings in their order; nil: none of them orders the list.
type columns []column

// Of is the heading with a text.
func (c columns) Of(key string) column {
	if i := slices.IndexFunc(c, func(one column) bool { return one.Key == key }); i >= 0 {
		return c[i]
	}
	return column{Key: key}
}

func (f filter) columns() columns {
	out := columns{
		{Key: "col.lock", URL: byName},
		{Key: "col.who", URL: byWho},
		{Key: "col.since", URL: bySince},
		{Key: "col.until", URL: byUntil},
		{Key: "col.waiting", URL: byWaiting},
	}
	for i := range out {
		c := &out[i]
		by := filter{Sort: c.URL}
		if c.URL == f.Sort {
			by.Turned = !f.Turned
			c.Sort = "ascending"
			if f.Turned != (f.Sort == byWaiting) {
				c.Sort = "descending"
			}
		}
		to := f
		to.Sort, to.Turned = by.Sort, by.Turned
		c.URL = to.address()
	}
	return out
}

// orders are what the list can be ordered by, as choices: by an address's value, with
// the keys of their texts.
var orders = func() []choice {
	var out []choice
	for _, column := range []string{byName, byWho, bySince, byUntil, byWaiting} {
		for _, f := range []filter{{Sort: column}, {Sort: column, Turned: true}} {
			label := f.Order()
			if label == byName {
				label = "name"
			}
			out = append(out, choice{Value: f.Order(), Label: "sort." + label})
		}
	}
	return out
}()

// near is how many pages before and behind this one have a link of their own.
const near = 2

// pager leads to the other pages of the list.
type pager struct {
	Page, Pages int
	Prev, Next  string // addresses; empty: there is none
	Links       []pageLink
	Fields      map[string]string // of a form that asks for a page by its number
}

// pageLink is a page's link in the pager.
type pageLink struct {
	Number int
	URL    string
	Here   bool
	Gap    bool // pages before it are left out
}

// pager is where a page is among all. Pages are counted from this one, which may
// begin anywhere, as locks come and go before it.
func (f filter) pager(found selection) pager {
	pages := func(locks int) int { return (locks + pageSize - 1) / pageSize }
	end := found.before + len(found.rows)
	p := pager{Page: pages(found.before) + 1}
	p.Pages = p.Page + pages(found.locks-end)
	if found.before > 0 {
		p.Prev = f.addressOf("after", found.prev)
	}
	if found.next != "" {
		p.Next = f.addressOf("after", found.next)
	}
	if p.Pages == 1 {
		return p
	}
	last := 0
	for n := 1; n <= p.Pages; n++ {
		if n != 1 && n != p.Pages && max(n-p.Page, p.Page-n) > near {
			continue
		}
		one := pageLink{Number: n, Here: n == p.Page, Gap: n > last+1}
		if n > 1 {
			one.URL = f.addressOf("page", strconv.Itoa(n))
		} else {
			one.URL = f.address()
		}
		p.Links = append(p.Links, one)
		last = n
	}
	p.Fields = map[string]string{}
	for key, values := range f.query() {
		p.Fields[key] = values[0]
	}
	return p
}

// Long reports whether some pages have no link.
func (p pager) Long() bool { return len(p.Links) < p.Pages }
