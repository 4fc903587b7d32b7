// Package storeurl shows the URL of a store without what is secret in it.
package storeurl

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Hidden stands for what may hold a secret.
const Hidden = "***"

// Redact is a store's URL without passwords. Where it is not clear what is
// one, more is left out: who mistypes a URL does not want to see its password
// in a log.
func Redact(store string) string {
	scheme, rest, _ := strings.Cut(store, ":")
	switch scheme {
	case "memory":
		if rest != "" {
			return scheme + ":" + Hidden
		}
		return store
	case "sqlite":
		return scheme + ":" + path(rest)
	case "postgres", "postgresql", "mysql", "mariadb", "redis", "rediss", "etcd", "http", "https":
		if after, ok := strings.CutPrefix(rest, "//"); ok {
			return scheme + "://" + remote(scheme, after)
		}
		return scheme + ":" + Hidden
	}
	if strings.ContainsAny(store, "@=?#") {
		return Hidden
	}
	return store
}

// path is that of a database file, in which anything may stand; but SQLite's
// own URLs and hosts are none.
func path(rest string) string {
	after, slashes := strings.CutPrefix(rest, "//")
	switch {
	case strings.HasPrefix(rest, "file:"):
		return "file:" + Hidden
	case slashes && !strings.HasPrefix(after, "/") && strings.ContainsAny(after, ":@"):
		return "//" + Hidden
	}
	return rest
}

// remote is what follows the two slashes. A user is shown, but not in Redis's URLs
// without a password, where the user may be the password.
func remote(scheme, rest string) string {
	authority, after := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, after = rest[:i], rest[i:]
	}
	if strings.Contains(after, "@") { // a password may hold / and ? that should be escaped
		return Hidden
	}
	user, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		name, _, both := strings.Cut(authority[:i], ":")
		if !both && scheme != "postgres" && scheme != "postgresql" && scheme != "mysql" && scheme != "mariadb" {
			name = ""
		}
		user, hosts = name+"@", authority[i+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if port := host[strings.LastIndexByte(host, ']')+1:]; strings.Trim(port[strings.IndexByte(port, ':')+1:], "0123456789") != "" &&
			strings.Contains(port, ":") {
			return Hidden // no port, but perhaps a password with no host behind it
		}
	}
	after, _, _ = strings.Cut(after, "#")
	place, query, _ := strings.Cut(after, "?")
	if strings.HasPrefix(scheme, "http") {
		query = "" // it is refused
	}
	if query = parameters(query); query != "" {
		query = "?" + query
	}
	return user + hosts + place + query
}

// parameters leaves out those that are secret, or may be.
func parameters(query string) string {
	var kept []string
	for parameter := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(parameter, "=")
		plain, err := url.QueryUnescape(name)
		of, bad := url.QueryUnescape(value)
		name = strings.ToLower(plain)
		switch {
		case !ok || err != nil || bad != nil || strings.ContainsAny(value, ";="):
			continue
		case strings.HasSuffix(name, "_url"):
			parameter = plain + "=" + url.QueryEscape(Redact(of))
		case secret(name):
			continue
		}
		kept = append(kept, parameter)
	}
	return strings.Join(kept, "&")
}

// secret tells whether a parameter's value is, by its name in small letters.
func secret(name string) bool {
	return name != "passfile" && slices.ContainsFunc([]string{"pass", "pwd", "secret", "token"}, func(s string) bool { return strings.Contains(name, s) })
}

// HasSecret reports whether a store's URL holds what may be a secret.
func HasSecret(store string) bool {
	shown := Redact(store)
	if strings.Contains(shown, Hidden) {
		return true
	}
	plain, err := url.QueryUnescape(store)
	of, bad := url.QueryUnescape(shown)
	return err != nil || bad != nil || plain != of
}

// Files are those that a store's URL names: of secrets, and others. A URL within
// the URL names its own.
func Files(store string) (secrets, public []string) {
	_, query, _ := strings.Cut(store, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, nil // the engine refuses it
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch paths := values[name]; {
		case slices.Contains([]string{"key", "sslkey", "passfile", "servicefile"}, name):
			secrets = append(secrets, paths...)
		case slices.Contains([]string{"ca", "cert", "sslcert", "sslrootcert"}, name):
			public = append(public, paths...)
		case strings.HasSuffix(name, "_url"):
			for _, inner := range paths {
				more, others := Files(inner)
				secrets, public = append(secrets, more...), append(public, others...)
			}
		}
	}
	return secrets, public
}
