package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// address is what a URL says.
type address struct {
	hosts          []string
	tls            *tls.Config
	user, password string
	db             int
	prefix         string
	replicas       int
	waitTimeout    time.Duration
}

const (
	defaultPrefix      = "editlock"
	defaultWaitTimeout = time.Second
	maxPrefix          = 100
)

// parseURL reads redis://[user:password@]host:port[,host:port…][/db] with the
// parameters prefix, wait_replicas and wait_timeout; rediss:// is the same
// over TLS. Errors never show the password.
func parseURL(text string) (address, error) {
	a := address{prefix: defaultPrefix, waitTimeout: defaultWaitTimeout}
	u, err := url.Parse(text)
	if err != nil {
		// Without the error: it may hold a part of a password.
		return a, errors.New("redis: the URL can't be read: it must be redis://USER:PASSWORD@HOST:PORT/DB, with user and password percent-encoded")
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return a, fmt.Errorf("redis: the URL's scheme is %q; it must be redis or, for TLS, rediss", u.Scheme)
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = strings.Trim(host, "[]"), "6379"
		}
		if name == "" {
			return a, errors.New("redis: the URL names no host: it must be redis://host:port")
		}
		a.hosts = append(a.hosts, net.JoinHostPort(name, port))
	}
	if u.Scheme == "rediss" {
		a.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if len(a.hosts) == 1 {
			a.tls.ServerName, _, _ = net.SplitHostPort(a.hosts[0])
		}
	}
	a.user = u.User.Username()
	a.password, _ = u.User.Password()
	if path := strings.Trim(u.Path, "/"); path != "" {
		if a.db, err = strconv.Atoi(path); err != nil || a.db < 0 {
			return a, fmt.Errorf("redis: the URL's path is %q; it must be the number of a database, or empty", path)
		}
	}
	if a.db > 0 && len(a.hosts) > 1 {
		return a, errors.New("redis: the URL names a database and several hosts: a cluster has only database 0")
	}
	return a, a.parameters(u)
}

func (a *address) parameters(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("redis: the URL's parameters can't be read: they must be percent-encoded, and separated by &")
	}
	for key, given := range values {
		value := given[0]
		switch {
		case len(given) > 1:
			return fmt.Errorf("redis: the URL gives %s twice", key)
		case key == "prefix":
			if a.prefix = value; value == "" || len(value) > maxPrefix || strings.ContainsAny(value, "{}") {
				return fmt.Errorf("redis: the URL's prefix is %q; it must have 1 to %d bytes, without braces", value, maxPrefix)
			}
		case key == "wait_replicas":
			if a.replicas, err = strconv.Atoi(value); err != nil || a.replicas < 0 {
				return fmt.Errorf("redis: the URL's wait_replicas is %q; it must be a number of replicas, such as 1", value)
			}
		case key == "wait_timeout":
			if a.waitTimeout, err = time.ParseDuration(value); err != nil || a.waitTimeout < time.Millisecond {
				return fmt.Errorf("redis: the URL's wait_timeout is %q; it must be a duration of 1ms or more, such as 500ms", value)
			}
		default:
			return fmt.Errorf("redis: the URL has the parameter %q; known are prefix, wait_replicas and wait_timeout", key)
		}
	}
	return nil
}
