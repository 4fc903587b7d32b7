package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// FuzzForwardedFor is of X-Forwarded-For: what stands before the first hop that
// is no proxy of ours is never believed, however it is written.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{
		"", "203.0.113.5", "203.0.113.5, 10.0.0.2", "x, 203.0.113.5", "203.0.113.5,", ",", "203.0.113.5:80", "[2001:db8::1]:80", "::ffff:10.0.0.1",
		"::1%eth0", "10.0.0.1, 10.0.0.2, 10.0.0.3", " 203.0.113.5 ", "203.0.113.005", "for=203.0.113.5", "unknown", "\"203.0.113.5\"",
	} {
		f.Add("10.0.0.1:5", seed, "")
		f.Add("203.0.113.9:5", seed, "10.0.0.7")
		f.Add("[::ffff:10.0.0.1]:5", "198.51.100.1", seed)
	}
	ours := netip.MustParsePrefix("10.0.0.0/8")
	var got string
	h := Front(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = clientAddress(r) }), &FrontOptions{Proxies: []netip.Prefix{ours}})
	proxy := func(at string) bool {
		ip, err := netip.ParseAddr(at)
		return err == nil && ours.Contains(ip.Unmap())
	}
	f.Fuzz(func(t *testing.T, remote, one, other string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/mutexes", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = []string{one, other}
		r.Header["Forwarded"] = []string{"for=192.0.2.66"}
		r.Header["X-Real-Ip"] = []string{"192.0.2.66"}
		h.ServeHTTP(httptest.NewRecorder(), r)

		from := hostOf(remote)
		hops := strings.FieldsFunc(one+","+other, func(c rune) bool { return c == ',' })
		last := ""
		if len(hops) > 0 {
			last = strings.TrimSpace(hops[len(hops)-1])
		}
		switch {
		case !proxy(from):
			if got != from {
				t.Fatalf("%q, which is no proxy, is taken for %q", from, got)
			}
		case got == from:
		default:
			ip, err := netip.ParseAddr(got)
			if err != nil || got != ip.Unmap().String() {
				t.Fatalf("%q is no address as they are written", got)
			}
			if !proxy(last) && strings.TrimRight(one+","+other, ", \t") == one+","+other {
				if end, err := netip.ParseAddr(last); err != nil || end.Unmap().String() != got {
					t.Fatalf("%q is believed, before %q", got, last)
				}
			}
		}

		// What a client writes itself stands before what our proxy adds.
		r.Header["X-Forwarded-For"] = []string{one + "," + other + ", 203.0.113.77"}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if proxy(from) && got != "203.0.113.77" {
			t.Fatalf("%q makes 203.0.113.77 %q", one, got)
		}
	})
}
