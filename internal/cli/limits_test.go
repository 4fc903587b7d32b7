package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// metric is the value of a series at /metrics, 0 if there is none.
func (d *deployment) metric(t *testing.T, s *served, series string) int {
	t.Helper()
	got := s.call(t, "GET", "/metrics", "", bearerOf(d.operator))
	if got.status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", got.status, got.body)
	}
	name, label, _ := strings.Cut(series, " ")
	found := regexp.MustCompile(`(?m)^` + name + `\{[^}]*` + label + `[^}]*\} (\d+)$`).FindStringSubmatch(got.body)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Each limit that a call meets is seen at /metrics, under the name that the
// configuration has for it.
func TestLimits_AreSeenInMetrics(t *testing.T) {
	d := deployWith(t, `
[limits]
mutexes_per_session = 1
requests_per_second = 1000
refusals_per_second = 1
event_streams = 1
`)
	s := d.servers[0]
	chief := bearerOf(d.token(t, jose.HS256, d.secret, "chief", nil))
	capture := func(id, more string) answered {
		return s.call(t, "POST", "/v1/capture", fmt.Sprintf(`{"mutex":{"group":"docs","id":%q}%s}`, id, more), chief)
	}
	if got := capture("first", ""); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events", nil)
	r.Header = chief.Clone()
	stream, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("the first stream: %v, %v", stream, err)
	}
	defer stream.Body.Close()

	for _, test := range []struct {
		series string
		status int
		call   func() answered
	}{
		{`editlock_limited_total limit="mutexes_per_session"`, 429, func() answered { return capture("second", "") }},
		{`editlock_limited_total limit="event_streams"`, 429, func() answered { return s.call(t, "GET", "/v1/events", "", chief) }},
		{`editlock_limited_total limit="refusals_per_second"`, 429, func() (got answered) {
			for range 100 {
				if got = s.call(t, "GET", "/v1/mutexes", "", nil); got.status == http.StatusTooManyRequests {
					break
				}
			}
			return got
		}},
		{`editlock_limited_total limit="body_size"`, 413, func() answered {
			return capture("first", `,"status_data":"`+strings.Repeat("x", 512<<10)+`"`)
		}},
		{`editlock_limited_total limit="body_size"`, 413, func() answered {
			return s.call(t, "POST", "/ui/act", "reason="+strings.Repeat("x", 512<<10), chief)
		}},
		{`editlock_refused_total why="invalid"`, 400, func() answered {
			return capture("first", `,"status_data":"`+strings.Repeat("x", 64<<10+1)+`"`)
		}},
		{`editlock_refused_total why="forbidden"`, 403, func() answered {
			return s.call(t, "POST", "/v1/capture", `{"mutex":{"group":"other","id":"x"}}`, chief)
		}},
	} {
		t.Run(test.series, func(t *testing.T) {
			seen, before := d.metric(t, s, test.series), d.state(t, s)
			if got := test.call(); got.status != test.status {
				t.Errorf("got %d %.300s", got.status, got.body)
			}
			if now := d.metric(t, s, test.series); now != seen+1 {
				t.Errorf("it stood at %d and stands at %d", seen, now)
			}
			if after := d.state(t, s); after != before {
				t.Errorf("it changes what is held\nbefore: %s\nafter:  %s", before, after)
			}
		})
	}
}

// The locks of one form of the lock manager count one by one.
func TestLimits_OfLocksInAForm(t *testing.T) {
	d := deployWith(t, `
[limits]
requests_per_second = 2
`)
	s := d.servers[0]
	chief := bearerOf(d.token(t, jose.HS256, d.secret, "chief", nil))
	form := "reasoned=1&reason=so"
	for i := range 40 {
		form += fmt.Sprintf("&lock=docs//%d+7", i)
	}
	if got := s.call(t, "POST", "/ui/confirm?do=release", form, chief); got.status != http.StatusOK {
		t.Fatalf("the first form: %d %.300s", got.status, got.body)
	}
	if got := s.call(t, "POST", "/ui/act?do=release", form, chief); got.status != http.StatusTooManyRequests {
		t.Errorf("the second form: %d %.300s", got.status, got.body)
	}
}

// Headers have 32 KiB; net/http adds up to 8 KiB for what it reads at once.
func TestLimits_OfHeaders(t *testing.T) {
	d := deploy(t)
	s := d.servers[0]
	send := func(size int) answered {
		header := bearerOf(d.operator)
		header.Set("X-Large", strings.Repeat("x", size))
		return s.call(t, "GET", "/v1/mutexes", "", header)
	}
	if got := send(31 << 10); got.status != http.StatusOK {
		t.Errorf("what is within the limit: %d %s", got.status, got.body)
	}
	if got := send(41 << 10); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("what is beyond it: %d %.300s", got.status, got.body)
	}
}

// Forms of the lock manager have as many bytes as bodies of the API, whether
// their length is stated or not.
func TestLimits_OfForms(t *testing.T) {
	const most = 512 << 10 // bytes, as docs/security.md says
	d := deploy(t)
	s := d.servers[0]
	login := cookieOf(d.logIn(t, s, chiefsLogin))
	for _, path := range []string{"/ui/confirm?do=release", "/ui/act?do=release"} {
		for _, how := range []string{"with its length stated", "in pieces"} {
			t.Run(path+" "+how, func(t *testing.T) {
				send := func(n int) (answered, bool) {
					token := d.hold(t, s, "theirs", person("petrov"))
					form := fmt.Sprintf("lock=docs//theirs+%d&reason=so&more=", token)
					form += strings.Repeat("x", n-len(form))
					before := d.state(t, s)
					send := s.call
					if how == "in pieces" {
						send = s.callInPieces
					}
					got := send(t, "POST", path, form, login)
					return got, d.state(t, s) != before
				}
				got, changed := send(most + 1)
				if got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.body, "too large") || changed {
					t.Errorf("one that is too large: %d, it changes something: %v; %.300s", got.status, changed, got.body)
				}
				got, changed = send(most)
				acts := strings.HasPrefix(path, "/ui/act")
				if want := map[bool]int{true: http.StatusSeeOther, false: http.StatusOK}[acts]; got.status != want || changed != acts {
					t.Errorf("the largest one: %d, want %d, it changes something: %v; %.300s", got.status, want, changed, got.body)
				}
			})
		}
	}
}
