package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/client"
	"github.com/editlock/editlock/internal/netfault"
)

// long asks for the whole proof.
var long = os.Getenv("EDITLOCK_LONG") != ""

const (
	clients     = 24
	callsAround = 2000 // in one round, whose mutexes are its own
	longRounds  = 26
	mutexes     = 60 // of a round
)

// fault is something that goes wrong for a while.
type fault struct {
	name       string
	begin, end func()
}

// faults are all that can go wrong in a world, one after another and then some
// at once.
func (w *world) faults(clientNetworks []*netfault.Proxy) []fault {
	on := func(networks []*netfault.Proxy, f netfault.Faults) func() {
		return func() {
			for _, n := range networks {
				n.Set(f)
			}
		}
	}
	network := func(name string, networks []*netfault.Proxy, f netfault.Faults) fault {
		return fault{name, on(networks, f), on(networks, netfault.Faults{})}
	}
	signal := func(name string, process func(syscall.Signal)) fault {
		return fault{name, func() { process(syscall.SIGSTOP) }, func() { process(syscall.SIGCONT) }}
	}
	mixed := netfault.Faults{CutBefore: .01, CutAfter: .01, MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}
	all := []fault{
		network("client's connections cut before the request", clientNetworks, netfault.Faults{CutBefore: .05}),
		network("client's connections cut before the answer", clientNetworks, netfault.Faults{CutAfter: .05}),
	}
	for i, s := range w.servers {
		all = append(all, fault{fmt.Sprintf("server %d killed", i), s.Kill, s.Start},
			signal(fmt.Sprintf("server %d stopped and continued", i), s.Signal))
	}
	if w.engine.address == "" {
		both := network("client's connections cut and slow, a server stopped", clientNetworks, mixed)
		stopped := w.servers[rand.IntN(2)]
		return append(all, fault{
			both.name,
			func() { both.begin(); stopped.Signal(syscall.SIGSTOP) },
			func() { stopped.Signal(syscall.SIGCONT); both.end() },
		})
	}
	killed := fault{"engine killed", w.engine.kill, w.engine.start}
	slow := network("", w.networks, mixed)
	all = append(all,
		network("cut before the commit", w.networks, netfault.Faults{CutBefore: .05}),
		network("cut after the commit", w.networks, netfault.Faults{CutAfter: .05}),
		network("10 to 200 ms of latency", w.networks, netfault.Faults{MinDelay: 10 * time.Millisecond, MaxDelay: 200 * time.Millisecond}),
		network("one server in a black hole", w.networks[:1], netfault.Faults{BlackHole: true}),
		network("both servers in a black hole", w.networks, netfault.Faults{BlackHole: true}),
		signal("engine stopped and continued", w.engine.signal),
		killed,
		fault{
			"cuts, latency and the engine killed",
			func() { slow.begin(); killed.begin() },
			func() { killed.end(); slow.end() },
		},
	)
	if w.engine.forget != nil {
		all = append(all, fault{"scripts forgotten", func() { _ = w.engine.forget() }, func() { _ = w.engine.forget() }})
	}
	return all
}

// clients are Go clients of the servers, each behind its network.
func (w *world) clients(t *testing.T) (lockers []editlock.Locker, networks []*netfault.Proxy) {
	t.Helper()
	for _, s := range w.servers {
		c, err := client.New("http://"+s.network.Address, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		lockers, networks = append(lockers, c), append(networks, s.network)
	}
	return lockers, networks
}

// TestHistories lets clients work on two servers of one store while all kinds
// of things go wrong, and judges what they were told.
func TestHistories(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e.start(t))
			lockers, networks := w.clients(t)
			rounds := 1
			if long {
				rounds = longRounds
			}
			total := map[outcome]int{}
			for round := range rounds {
				h := newHistory(fmt.Sprintf("round %d", round), mutexes, callsAround, 60*time.Millisecond, lockers...)
				faulty(t, h, w.faults(networks))
				h.look(t.Context(), append(lockers, w.direct)...)
				r, err := read(t.Context(), w.direct, h.group)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range h.calls {
					total[c.outcome]++
				}
				if err := judge(h.calls, r); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if long {
					t.Logf("%v: %d calls so far: %v", time.Now().Format(time.TimeOnly), sum(total), total)
				}
			}
			t.Logf("%d calls: %v", sum(total), total)
			// A history without success, or without failure, proves nothing.
			for _, o := range []outcome{done, busy, lost, no} {
				if total[o] < rounds*callsAround/400 {
					t.Errorf("only %d calls of %d ended as %q", total[o], sum(total), o)
				}
			}
		})
	}
}

func sum(total map[outcome]int) int {
	n := 0
	for _, count := range total {
		n += count
	}
	return n
}

// faulty lets clients work while one fault after another is there for a while.
func faulty(t *testing.T, h *history, faults []fault) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { h.run(ctx, clients) })
	rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	const lasts = 600 * time.Millisecond
	for i, f := range faults {
		// Calls are kept for all faults, and for healthy times between them.
		keep := int64(callsAround * (len(faults) - i) / (len(faults) + 1))
		for h.left.Load() > keep {
			time.Sleep(5 * time.Millisecond)
		}
		h.floor.Store(keep - int64(callsAround/(len(faults)+1)*2/3))
		before, from := h.left.Load(), time.Now()
		f.begin()
		time.Sleep(lasts)
		f.end()
		h.floor.Store(0)
		if long || testing.Verbose() {
			t.Logf("%s: %d calls while %s, for %v", h.group, before-h.left.Load(), f.name, time.Since(from).Round(time.Millisecond))
		}
	}
	wg.Wait()
}
