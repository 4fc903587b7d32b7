package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"editlock"
	"editlock/auth"
	"editlock/tests/abuse"
)

// Those who behave: each captures, refreshes and releases so many times a
// second, whether the answer before has come or not.
const (
	callers = 16
	cycles  = 10
)

// The crowd: what one attacker with a machine or two has. lasting is how many
// connections each lasting kind keeps up, floods how many each flood opens a
// second.
const (
	crowdLasting = 50
	crowdFloods  = 120
)

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
	crowd, err := startCrowd(ctx, srv, credential, crowdLasting, crowdFloods)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, crowd.Close()) }()

	all := make([]*caller, callers)
	for i := range all {
		all[i] = &caller{number: i, url: srv.url, key: keys[i], client: &http.Client{Transport: &http.Transport{}}, owner: person(i)}
		if _, err := all[i].cycle(ctx, time.Now(), 0); err != nil { // connects
			return err
		}
	}
	lasts := max(b.round, abuseRound)
	var alone, beside []share
	for round := range b.rounds {
		for turn := range 2 {
			if (round+turn)%2 == 0 {
				s, err := measure(ctx, srv, all, lasts)
				if err != nil {
					return err
				}
				alone = append(alone, s)
				continue
			}
			if _, err := crowd.used("begin"); err != nil {
				return err
			}
			time.Sleep(time.Second / 2) // until all of it is there
			s, err := measure(ctx, srv, all, lasts)
			if err != nil {
				return err
			}
			beside = append(beside, s)
			if _, err := crowd.used("end"); err != nil {
				return err
			}
			time.Sleep(time.Second / 2) // until the server has let go of it
		}
	}
	reportAbuse(alone, beside)
	return reportCrowd(crowd, float64(b.rounds)*(lasts+time.Second/2).Seconds())
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

// caller is one who behaves, with a key and a connection of his own.
type caller struct {
	number int
	url    string
	client *http.Client
	key    string
	owner  editlock.Owner
	done   int // cycles
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

// work begins a cycle at each beat. A late answer makes those after it late,
// which counts: they wait from when they were meant to begin.
func (c *caller) work(ctx context.Context, begin, end time.Time) (took []time.Duration, err error) {
	for at := begin; at.Before(end); at = at.Add(time.Second / cycles) {
		mine, err := c.cycle(ctx, at, time.Second/cycles/3)
		if err != nil {
			return nil, err
		}
		took = append(took, mine...)
	}
	return took, nil
}

// cycle captures at a time, and refreshes and releases one and two gaps later.
func (c *caller) cycle(ctx context.Context, at time.Time, gap time.Duration) (took []time.Duration, err error) {
	c.done++
	id := invoice(c.number, c.done)
	body := captureBody(id, c.owner, "")
	send := func(path string, body []byte) ([]byte, error) {
		time.Sleep(time.Until(at))
		answer, err := c.post(ctx, path, body)
		took = append(took, time.Since(at))
		at = at.Add(gap)
		return answer, err
	}
	answer, err := send("/v1/capture", body)
	if err != nil {
		return nil, err
	}
	var captured capturedForm
	if err := json.Unmarshal(answer, &captured); err != nil {
		return nil, err
	}
	beat, _ := json.Marshal(map[string]any{ // strings and numbers: can't fail
		"owner": captured.Mutex.Owner,
		"items": []refreshItemForm{{idForm(id), captured.Mutex.Token}},
	})
	if answer, err = send("/v1/refresh", beat); err == nil && bytes.Contains(answer, []byte(`"code"`)) {
		err = fmt.Errorf("a refresh was refused: %s", answer)
	}
	if err == nil {
		_, err = send("/v1/release", body)
	}
	return took, err
}

func (c *caller) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return answer, err
}

// reportAbuse prints what those who behave got.
func reportAbuse(alone, beside []share) {
	const aim = 2
	ratios := make([]float64, len(alone))
	for i := range alone {
		ratios[i] = float64(beside[i].p99) / float64(alone[i].p99)
	}
	t := table{"those who behave", "calls a second", "p50", "p99", "the server's part of one core", "p99, times that alone"}
	t.head()
	row := func(name string, all []share, ratio string) {
		var scores []score
		var cpu []float64
		for _, s := range all {
			scores, cpu = append(scores, s.score), append(cpu, 100*s.cpu)
		}
		t.row(name,
			spread(each(scores, func(s score) float64 { return s.rate }), "%.0f"),
			fmt.Sprint(round(median(each(scores, func(s score) time.Duration { return s.p50 })))),
			fmt.Sprint(round(median(each(scores, func(s score) time.Duration { return s.p99 })))),
			spread(cpu, "%.0f %%"), ratio)
	}
	verdict := "met"
	if median(ratios) > aim {
		verdict = "missed"
	}
	row("alone", alone, "")
	row("beside the crowd", beside, fmt.Sprintf("%s (aim at most %d: %s)", spread(ratios, "%.2f"), aim, verdict))
	fmt.Println()
}

// reportCrowd prints what the crowd did, so that nobody thinks it was idle.
func reportCrowd(crowd *server, seconds float64) error {
	var failed error
	rate := func(what string) float64 {
		n, err := crowd.used(what)
		failed = errors.Join(failed, err)
		return float64(n) / seconds
	}
	lasting, floods := abuse.Size()
	cpu := rate("cpu") / float64(time.Second)
	fmt.Printf(`The callers are %d, each with an API key, %d times a second capture, refresh and release; a call's time
counts from when it was meant to begin. The crowd keeps %d connections that are slow, half-open or never read, and
floods with %d more a second (tests/abuse says with what): %.0f connections a second in all. It read %.0f answers
a second: %.0f were 429, %.0f were 401, %.0f were 400, 408, 413 or 431, %.0f were 200. It runs at the
lowest priority, as its machine is not the server's, and took %.0f %% of one core.
`, callers, cycles, lasting*crowdLasting, floods*crowdFloods, rate("tries"), rate("answers"), rate("429"), rate("401"),
		rate("400")+rate("408")+rate("413")+rate("431"), rate("200"), 100*cpu)
	return failed
}
