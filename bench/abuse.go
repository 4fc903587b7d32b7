package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/server/auth"
	"github.com/editlock/editlock/tests/abuse"
)

// Those who behave: each captures, refreshes and releases so many times a
// second, whether the answer before has come or not.
const (
	callers = 16
	cycles  = 10
)

// The crowd: what one attacker with a machine or two has. lasting is how many
// connections each lasting kind keeps up, floods how many each flood opens a
// second. With the last of them this machine of two cores, which is the
// crowd's and the callers' too, is nearly used up.
const lasting = 50

var floods = [...]int{30, 60, 120}

// abuseRound is the least to measure in a round: too few calls have no p99.
const abuseRound = 3 * time.Second

// abused asks what clients that are slow, half-open or flood the server cost
// those who behave: "editlock serve" as it comes, with keys and its usual
// limits. The crowd has a page's token, and many connections without one.
func abused(ctx context.Context, b *bench) (err error) {
	dir, err := os.MkdirTemp(b.dir, "abuse-")
	if err != nil {
		return err
	}
	keys, credential, err := configure(dir)
	if err != nil {
		return err
	}
	srv, err := start(ctx, "program:"+dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	turns := []*turn{{name: "alone"}}
	_, flooding := abuse.Size()
	for _, n := range floods {
		crowd, err := startCrowd(ctx, srv, credential, lasting, n)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, crowd.Close()) }()
		turns = append(turns, &turn{name: fmt.Sprintf("beside %d floods a second", n*flooding), crowd: crowd})
	}

	all := make([]*caller, callers)
	for i := range all {
		all[i] = &caller{number: i, url: srv.url, key: keys[i], client: &http.Client{Transport: &http.Transport{}}, owner: person(i)}
		if _, err := all[i].cycle(ctx, time.Now(), 0); err != nil { // connects
			return err
		}
	}
	lasts := max(b.round, abuseRound)
	for round := range b.rounds {
		for i := range turns {
			if err := turns[(round+i)%len(turns)].take(ctx, srv, all, lasts); err != nil {
				return err
			}
		}
	}
	return reportAbuse(turns, time.Duration(b.rounds)*(lasts+settling))
}

// settling is how long a crowd has to be there before it counts, and the
// server to let go of it afterwards.
const settling = time.Second / 2

// turn is what those who behave get in one situation.
type turn struct {
	name  string
	crowd *server // nil: none
	got   []share // by round
}

func (t *turn) take(ctx context.Context, srv *server, all []*caller, lasts time.Duration) error {
	if t.crowd != nil {
		if _, err := t.crowd.used("begin"); err != nil {
			return err
		}
		time.Sleep(settling)
	}
	s, err := measure(ctx, srv, all, lasts)
	if err != nil {
		return err
	}
	t.got = append(t.got, s)
	if t.crowd != nil {
		if _, err := t.crowd.used("end"); err != nil {
			return err
		}
		time.Sleep(settling)
	}
	return nil
}

// configure writes what a server with keys reads, for callers and for one who
// has a page's token.
func configure(dir string) (keys []string, token string, err error) {
	secret := bytes.Repeat([]byte("s"), 32)
	file := fmt.Sprintf(`store = %q
keys = "keys.json"
[[issuer]]
name = "shop"
audience = "editlock"
secret_file = "secret"
[[rule]]
everyone = true
rights = ["read", "use"]
group = "abuse"
mode = "*"
`, "sqlite:"+filepath.Join(dir, "locks.db"))
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "editlock.toml"), []byte(file), 0o600),
		os.WriteFile(filepath.Join(dir, "secret"), secret, 0o600))
	if err != nil {
		return nil, "", err
	}
	err = auth.ChangeKeys(filepath.Join(dir, "keys.json"), func(list []auth.Key) ([]auth.Key, error) {
		for i := range callers {
			k, key := auth.NewKey(auth.Key{
				Name:   fmt.Sprint("caller ", i),
				Scope:  auth.Scope{Sessions: []auth.Pattern{"*"}, Users: []auth.Pattern{"*"}},
				Grants: []auth.Grant{{Rights: []auth.Right{auth.Read, auth.Use}, Group: "shop", Mode: "*"}},
			})
			list, keys = append(list, k), append(keys, key)
		}
		return list, nil
	})
	if err != nil {
		return nil, "", err
	}
	token, err = auth.Mint(secret, auth.PageToken{
		Issuer: "shop", Audience: "editlock", Owner: editlock.Owner{UserID: "mallory"}, Lifetime: time.Hour,
	})
	return keys, token, err
}

// share is what those who behave got in one turn, and what it cost.
type share struct {
	score
	cpu float64 // of one core, the server's
}

// measure lets all callers work at their pace for a time.
func measure(ctx context.Context, srv *server, all []*caller, lasts time.Duration) (share, error) {
	before, err := srv.cpu()
	if err != nil {
		return share{}, err
	}
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	begin := time.Now()
	for i, c := range all {
		wg.Go(func() {
			mine, err := c.work(ctx, begin.Add(time.Second*time.Duration(i)/(cycles*callers)), begin.Add(lasts))
			mu.Lock()
			defer mu.Unlock()
			took, failed = append(took, mine...), errors.Join(failed, err)
		})
	}
	wg.Wait()
	wall := time.Since(begin).Seconds()
	after, err := srv.cpu()
	if err := errors.Join(failed, err); err != nil {
		return share{}, err
	}
	slices.Sort(took)
	return share{
		score{float64(len(took)) / wall, quantile(took, 0.5), quantile(took, 0.99)},
		(after - before).Seconds() / wall,
	}, nil
}

// reportAbuse prints what those who behave got, beside what the crowds did, so
// that nobody thinks they were idle.
func reportAbuse(turns []*turn, lasted time.Duration) error {
	const aim = 2
	alone := turns[0].got
	t := table{
		"those who behave", "calls a second", "p50", "p99", "p99, times that alone", "the server's part of one core",
		"the crowd's part", "its connections a second", "its answers a second: all, 429, 401, other 4xx, 200",
	}
	t.head()
	for _, turn := range turns {
		var ratios, cpu []float64
		for i, s := range turn.got {
			ratios, cpu = append(ratios, float64(s.p99)/float64(alone[i].p99)), append(cpu, 100*s.cpu)
		}
		cells := []string{
			turn.name,
			spread(each(turn.got, func(s share) float64 { return s.rate }), "%.0f"),
			fmt.Sprint(round(median(each(turn.got, func(s share) time.Duration { return s.p50 })))),
			fmt.Sprint(round(median(each(turn.got, func(s share) time.Duration { return s.p99 })))),
			"", spread(cpu, "%.0f %%"), "", "", "",
		}
		if turn.crowd != nil {
			verdict := "met"
			if median(ratios) > aim {
				verdict = "missed"
			}
			cells[4] = fmt.Sprintf("%s (aim at most %d: %s)", spread(ratios, "%.2f"), aim, verdict)
			if err := turn.abused(cells[6:], lasted.Seconds()); err != nil {
				return err
			}
		}
		t.row(cells...)
	}
	kinds, _ := abuse.Size()
	fmt.Printf(`
The callers are %d, each with an API key, %d times a second capture, refresh and release; a call's time
counts from when it was meant to begin. Each crowd keeps %d connections that are slow, half-open or never read
(tests/abuse says with what), and opens so many more a second for its floods. It has what nobody else wants of
the processor, as its machine is not the server's.
`, callers, cycles, kinds*lasting)
	return nil
}

// abused fills in what a crowd used and did.
func (t *turn) abused(cells []string, seconds float64) error {
	var failed error
	rate := func(what ...string) float64 {
		var sum int64
		for _, one := range what {
			n, err := t.crowd.used(one)
			sum, failed = sum+n, errors.Join(failed, err)
		}
		return float64(sum) / seconds
	}
	cells[0] = fmt.Sprintf("%.0f %%", 100*rate("cpu")/float64(time.Second))
	cells[1] = fmt.Sprintf("%.0f", rate("tries"))
	cells[2] = fmt.Sprintf("%.0f, %.0f, %.0f, %.0f, %.0f",
		rate("answers"), rate("429"), rate("401"), rate("400", "408", "413", "431"), rate("200"))
	return failed
}
