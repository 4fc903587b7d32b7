package storeurl_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/editlock/editlock/internal/storeurl"
)

// FuzzRedact is of whatever is taken for a store's URL: a password in it is not
// shown, wherever it stands.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{
		"memory:", "sqlite:/a b.db", "postgres://u:p@h:5432/db?password=x&listen_url=postgres%3A%2F%2Fu%3Ap%40h", "redis://:p@h:1/2", "etcd://u:p@a:1,b:2/x?timeout=1s",
		"host=h password=p", "redis://h:p@", "http://h/?token=x", "rediss://u@h?pass=1;2", "postgres://h/?PGPASSWORD=x#p@", "etcd:", "%",
	} {
		f.Add(seed)
	}
	const secret = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, secret) || len(text) > 1000 {
			return
		}
		// The password in every place for one.
		word := url.QueryEscape(text)
		for _, scheme := range []string{"postgres", "postgresql", "redis", "rediss", "etcd", "http", "https"} {
			for _, with := range []string{
				"://" + word + ":" + secret + "@host:5432/x", "://:" + secret + "@host", "://u:" + secret + "/" + text + "@host",
				"://u:" + secret + "@" + word, "://host/" + word + "?a=" + word + "&password=" + secret, "://host?token=" + secret + "&" + text,
				"://" + word + ":" + text + secret + "@host",
			} {
				if shown := storeurl.Redact(scheme + with); strings.Contains(shown, secret) {
					t.Fatalf("%q is shown as %q", scheme+with, shown)
				}
			}
		}
	})
}
