package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	defaultPort   = "2379"
	defaultPrefix = "editlock"
	// A connection on which nothing comes back is given up after both. The
	// first can't be less: gRPC sees to that.
	aliveEvery  = 10 * time.Second
	aliveWithin = 2 * time.Second
	// maxSend leaves it to etcd to say what is too large.
	maxSend = 64 << 20
)

// parse reads the URL of a store: how to reach etcd, and the prefix of the
// store's keys.
//
//	etcd://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/PREFIX][?tls=true&ca=FILE&cert=FILE&key=FILE]
func parse(text string) (cfg clientv3.Config, prefix string, err error) {
	// Several hosts are no URL: they are set aside.
	rest, ok := strings.CutPrefix(text, "etcd://")
	if !ok {
		return cfg, "", errors.New("etcd: the URL must begin with etcd://")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse("etcd://" + user + "host" + path)
	if err != nil {
		return cfg, "", errors.New("etcd: the URL must have the form etcd://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX, with a user and password that are percent-encoded")
	}
	cfg = clientv3.Config{
		DialKeepAliveTime: aliveEvery, DialKeepAliveTimeout: aliveWithin, MaxCallSendMsgSize: maxSend, Logger: zap.NewNop(),
	}
	if u.User != nil {
		password, given := u.User.Password()
		if u.User.Username() == "" || !given || password == "" {
			return cfg, "", errors.New("etcd: the URL must give both a user and a password, or neither")
		}
		cfg.Username, cfg.Password = u.User.Username(), password
	}
	if cfg.TLS, err = tlsConfig(u.Query()); err != nil {
		return cfg, "", err
	}
	if cfg.Endpoints, err = endpoints(hosts, cfg.TLS != nil); err != nil {
		return cfg, "", err
	}
	prefix = strings.Trim(u.Path, "/")
	if prefix == "" {
		prefix = defaultPrefix
	}
	if u.Fragment != "" {
		return cfg, "", errors.New("etcd: the URL must have no #")
	}
	return cfg, "/" + prefix + "/", nil
}

// errNoPlace does not show what stands there: it may be a password.
var errNoPlace = errors.New("etcd: a host of the URL is no HOST:PORT")

func endpoints(hosts string, secure bool) (list []string, err error) {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	for host := range strings.SplitSeq(hosts, ",") {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = strings.Trim(host, "[]"), defaultPort
			if strings.ContainsAny(name, ":/") && net.ParseIP(name) == nil {
				return nil, errNoPlace
			}
		}
		if n, err := strconv.ParseUint(port, 10, 16); name == "" || err != nil || n == 0 {
			return nil, errNoPlace
		}
		list = append(list, scheme+net.JoinHostPort(name, port))
	}
	return list, nil
}

// tlsConfig reads the parameters of a URL; nil: no TLS.
func tlsConfig(q url.Values) (*tls.Config, error) {
	for name, values := range q {
		if !slices.Contains([]string{"tls", "ca", "cert", "key"}, name) {
			return nil, fmt.Errorf("etcd: the URL has the parameter %q; allowed are tls, ca, cert and key", name)
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("etcd: the URL has the parameter %s twice", name)
		}
	}
	on := q.Has("ca") || q.Has("cert") || q.Has("key")
	if q.Has("tls") {
		wanted, err := strconv.ParseBool(q.Get("tls"))
		switch {
		case err != nil:
			return nil, fmt.Errorf("etcd: the URL's tls must be true or false, not %q", q.Get("tls"))
		case !wanted && on:
			return nil, errors.New("etcd: the URL says tls=false, but gives a ca, cert or key")
		}
		on = wanted
	}
	if !on {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := q.Get("ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("etcd: the URL's ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("etcd: the URL's ca: %s has no certificate in PEM", file)
		}
	}
	if q.Has("cert") != q.Has("key") {
		return nil, errors.New("etcd: the URL must give both cert and key, or neither")
	}
	if q.Has("cert") {
		pair, err := tls.LoadX509KeyPair(q.Get("cert"), q.Get("key"))
		if err != nil {
			return nil, fmt.Errorf("etcd: the URL's cert and key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
