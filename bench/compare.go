package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/etcd"
	"github.com/editlock/editlock/store/mariadb"
	"github.com/editlock/editlock/store/memory"
	"github.com/editlock/editlock/store/postgres"
	"github.com/editlock/editlock/store/redis"
	"github.com/editlock/editlock/store/sqlite"
)

// comparison is what "bench -compare" and "bench -before" are asked for.
type comparison struct {
	commits string // BASE or BASE..HEAD: nothing but the comparison
	before  string // a commit: the comparison after the sections
	engines string // separated by commas
	held    int
}

// engine is a kind of store that two commits are compared on.
type engine struct {
	name string
	// serve starts a server of its own, if the engine has one, and returns
	// what makes the URLs of new stores on it.
	serve func(h *host) func(store string) string
	open  func(ctx context.Context, url string) (store.Store, error)
	// alone: a store has one process.
	alone bool
	// allocs: the gate is on the allocations of a capture, too.
	allocs bool
}

func (e engine) called() string { return e.name }

var engines = []engine{
	{name: "memory", alone: true, serve: func(*host) func(string) string {
		return func(string) string { return "memory:" }
	}, open: func(context.Context, string) (store.Store, error) { return memory.New(nil), nil }},
	{name: "sqlite", allocs: true, serve: func(h *host) func(string) string {
		dir := h.TempDir()
		return func(store string) string { return "sqlite:" + filepath.Join(dir, store+".db") }
	}, open: func(ctx context.Context, url string) (store.Store, error) {
		return sqlite.Open(ctx, strings.TrimPrefix(url, "sqlite:"), nil)
	}},
	{name: "postgres", serve: func(h *host) func(string) string {
		server := enginetest.StartPostgres(h, "fsync=on", "synchronous_commit=on", "max_connections=200")
		return func(string) string {
			url, _ := server.Schema(h)
			return url
		}
	}, open: func(ctx context.Context, url string) (store.Store, error) { return postgres.Open(ctx, url) }},
	{name: "redis", serve: func(h *host) func(string) string {
		server := enginetest.StartRedis(h)
		return func(string) string { return server.Store() }
	}, open: func(ctx context.Context, url string) (store.Store, error) { return redis.Open(ctx, url) }},
	{name: "etcd", serve: func(h *host) func(string) string {
		server := enginetest.StartOwnEtcd(h, "--quota-backend-bytes=8589934592") // a million is more than its 2 GB
		return func(store string) string { return "etcd://" + server.Host + "/" + store }
	}, open: func(ctx context.Context, url string) (store.Store, error) { return etcd.Open(ctx, url, nil) }},
	{name: "mariadb", serve: func(h *host) func(string) string {
		server := enginetest.StartMariaDB(h)
		return func(string) string { return server.Database(h) }
	}, open: func(ctx context.Context, url string) (store.Store, error) { return mariadb.Open(ctx, url) }},
}

// fewHeld is how many mutexes the smaller of the stores hold.
const fewHeld = 1000

// compare lets both sides take turns on each engine.
func (b *bench) compare(ctx context.Context, c comparison, both [2]side) error {
	chosen, err := choose(c.engines, engines, engine.called)
	if err != nil {
		return fmt.Errorf("-engines %w", err)
	}
	if c.held < 1 {
		return errors.New("-held must be at least 1")
	}
	fmt.Printf(`# %s beside %s

In one run: %s, %s/%s, %d cores. Medians [least-most]
of the rounds, of which there are %d of %v; in each the commits take turns: A, B,
B, A. Ratios are of the second by the first, round by round. Gates are on them,
but for the last row, where the gate is on the second alone.
`, both[0].name, both[1].name, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds, b.round)
	for _, e := range chosen {
		fmt.Printf("\n## %s\n\n", e.name)
		if i := slices.IndexFunc(both[:], func(s side) bool { return !s.knows(e) }); i >= 0 {
			fmt.Printf("%s has no such engine.\n", both[i].name)
			continue
		}
		err := onHost(ctx, b.dir, func(h *host) error {
			d := &duel{bench: b, host: h, engine: e, sides: both}
			return d.run(ctx, c.held)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// duel is the comparison of two sides on one engine.
type duel struct {
	*bench
	host   *host
	engine engine
	sides  [2]side
	url    [2]func(store string) string
	table  table
}

func (d *duel) run(ctx context.Context, held int) error {
	for i := range d.sides { // a server each: what one holds is no burden to the other
		d.url[i] = d.engine.serve(d.host)
	}
	d.table = table{"what", d.sides[0].name, d.sides[1].name, "ratio", "gate"}
	d.table.head()

	var urls [2]string
	for i := range urls {
		urls[i] = d.url[i]("few")
	}
	few, err := d.filled(ctx, urls, fewHeld)
	if err != nil {
		return err
	}
	if err := d.rates(ctx, few); err != nil {
		return err
	}
	if !d.engine.alone {
		if err := d.handOff(ctx, urls, few); err != nil {
			return err
		}
	}
	if err := d.allocs(ctx); err != nil {
		return err
	}
	for i := range urls {
		urls[i] = d.url[i]("lots")
	}
	lots, err := d.filled(ctx, urls, held)
	if err != nil {
		return err
	}
	return d.crowded(ctx, few, lots, held)
}

// filled opens a store of each side and captures mutexes that stay held.
func (d *duel) filled(ctx context.Context, urls [2]string, held int) (p [2]*process, err error) {
	for i, s := range d.sides {
		if p[i], err = s.open(ctx, d.host, urls[i]); err != nil {
			return p, err
		}
		if _, err := p[i].ask("fill", held); err != nil {
			return p, err
		}
		if _, err := p[i].ask("pairs", many, d.round.Nanoseconds()/2); err != nil { // plans, connections, caches
			return p, err
		}
	}
	return p, nil
}

// rates compares pairs of capture and release, with their history.
func (d *duel) rates(ctx context.Context, few [2]*process) error {
	for _, clients := range []int{1, many} {
		scores, err := d.race(ctx, []contender{
			{name: "base", away: few[0].pairs(clients)},
			{name: "head", away: few[1].pairs(clients)},
		})
		if err != nil {
			return err
		}
		rate := func(s score) float64 { return s.rate }
		if clients == 1 {
			d.row("capture + release a second, 1 caller", "%.0f", each(scores["base"], rate), each(scores["head"], rate), atLeast(0.85))
			continue
		}
		p99 := func(s score) float64 { return micros(s.p99) }
		d.row(fmt.Sprintf("capture + release a second, %d callers", clients), "%.0f", each(scores["base"], rate), each(scores["head"], rate), atLeast(1))
		d.row(fmt.Sprintf("p99 of the pair, %d callers, µs", clients), "%.0f", each(scores["base"], p99), each(scores["head"], p99), gate{})
	}
	return nil
}

// handOff compares how long a release in one process takes to reach the waiter
// in another.
func (d *duel) handOff(ctx context.Context, urls [2]string, few [2]*process) error {
	var pairs [2][2]*process
	for i, s := range d.sides {
		other, err := s.open(ctx, d.host, urls[i])
		if err != nil {
			return err
		}
		defer other.close() // it would slow what is measured next
		pairs[i] = [2]*process{few[i], other}
		if _, err := few[i].ask("capture", 0); err != nil {
			return err
		}
	}
	var p50 [2][]float64
	holder := [2]int{}
	for range d.rounds {
		var took [2][]time.Duration
		for _, i := range []int{0, 1, 1, 0} {
			for end := time.Now().Add(d.round / 2); len(took[i]) == 0 || time.Now().Before(end); {
				one, err := passOn(pairs[i], holder[i])
				if err != nil {
					return err
				}
				took[i], holder[i] = append(took[i], one), 1-holder[i]
			}
		}
		for i := range p50 {
			p50[i] = append(p50[i], micros(median(took[i])))
		}
	}
	d.row("hand-off between two processes, p50, µs", "%.0f", p50[0], p50[1], atMost(1.3))
	return nil
}

// passOn lets the process that does not hold the baton wait for it, and the
// other release it. Both read the same machine's clock.
func passOn(p [2]*process, holder int) (time.Duration, error) {
	next := 1 - holder
	if err := p[next].say("capture", next); err != nil {
		return 0, err
	}
	released, err := p[holder].ask("release", holder)
	if err != nil {
		return 0, err
	}
	captured, err := p[next].hear()
	return time.Duration(captured.At - released.At), err
}

// allocs compares the allocations of a capture, on stores that did nothing
// before: what runs in the background counts too.
func (d *duel) allocs(ctx context.Context) error {
	var p [2]*process
	for i, s := range d.sides {
		var err error
		if p[i], err = s.open(ctx, d.host, d.url[i]("allocs")); err != nil {
			return err
		}
		defer p[i].close()
	}
	var counts [2][]float64
	for range d.rounds {
		for i := range p {
			r, err := p[i].ask("allocs", 1000)
			if err != nil {
				return err
			}
			counts[i] = append(counts[i], r.Allocs)
		}
	}
	g := gate{}
	if d.engine.allocs {
		g = atMost(1)
	}
	d.row("allocations of a capture", "%.0f", counts[0], counts[1], g)
	return nil
}

// crowded compares what lots of held mutexes cost a pair, within each side.
func (d *duel) crowded(ctx context.Context, few, lots [2]*process, held int) error {
	scores, err := d.race(ctx, []contender{
		{name: "base, few", away: few[0].pairs(1)},
		{name: "head, few", away: few[1].pairs(1)},
		{name: "base, lots", away: lots[0].pairs(1)},
		{name: "head, lots", away: lots[1].pairs(1)},
	})
	if err != nil {
		return err
	}
	p50 := func(name string) []float64 {
		return each(scores[name], func(s score) float64 { return micros(s.p50) })
	}
	d.row(fmt.Sprintf("pair, p50, %d held, µs", fewHeld), "%.1f", p50("base, few"), p50("head, few"), gate{})
	d.row(fmt.Sprintf("pair, p50, %d held, µs", held), "%.1f", p50("base, lots"), p50("head, lots"), gate{})
	times := [2][]float64{quotients(p50("base, lots"), p50("base, few")), quotients(p50("head, lots"), p50("head, few"))}
	d.row("the latter by the former", "%.2f", times[0], times[1],
		gate{most: 1.2, alone: true})
	return nil
}

// row prints the figures of all rounds of both sides.
func (d *duel) row(what, format string, base, head []float64, g gate) {
	ratio := quotients(head, base)
	judged := median(ratio)
	if g.alone {
		judged = median(head)
	}
	d.table.row(what, spread(base, format), spread(head, format), spread(ratio, "%.2f"), g.verdict(judged))
}

// quotients divides round by round, which is steadier than the quotient of two
// medians.
func quotients(of, by []float64) []float64 {
	q := make([]float64, len(of))
	for i := range of {
		q[i] = of[i] / by[i]
	}
	return q
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// gate is what a change must not cost. The zero gate is none.
type gate struct {
	least, most float64
	alone       bool // on the head's figure, not on the ratio
}

func atLeast(ratio float64) gate { return gate{least: ratio} }
func atMost(ratio float64) gate  { return gate{most: ratio} }

// verdict is for the reader: nothing fails by it.
func (g gate) verdict(got float64) string {
	word := "met"
	if got < g.least || g.most > 0 && got > g.most {
		word = "missed"
	}
	switch {
	case g.least > 0:
		return fmt.Sprintf("at least %.2f: %s", g.least, word)
	case g.most > 0:
		return fmt.Sprintf("at most %.2f: %s", g.most, word)
	}
	return ""
}
