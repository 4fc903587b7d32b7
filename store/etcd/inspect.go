package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Inspection is a look at a store that changes nothing. Make it with Inspect,
// and close it. There is no clock in it: the store's is not a time of day.
type Inspection struct {
	Version        string // the server's
	Tables, Newest int    // version of the keys (0: there is no store), and the newest known here

	client *clientv3.Client
	head   string
}

// Inspect looks at the store that url names.
func Inspect(ctx context.Context, url string) (i *Inspection, err error) {
	cfg, prefix, err := parse(url)
	if err != nil {
		return nil, err
	}
	cfg.Context, cfg.DialTimeout = ctx, openWithin
	client, err := clientv3.New(cfg)
	if err != nil {
		return nil, explain(err, cfg.Endpoints)
	}
	i = &Inspection{Newest: version, client: client, head: keys(prefix).head()}
	if err := i.look(ctx, cfg.Endpoints); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Inspection) look(ctx context.Context, endpoints []string) error {
	res, err := i.client.Get(ctx, i.head)
	if err != nil {
		return explain(err, endpoints)
	}
	if len(res.Kvs) > 0 {
		var h struct {
			Version int `json:"version"`
		}
		if err := json.Unmarshal(res.Kvs[0].Value, &h); err != nil {
			return fmt.Errorf("etcd: what is at %q is not of editlock: %w", i.head, err)
		}
		i.Tables = h.Version
		if err := checkVersion(h.Version); err != nil {
			return err
		}
	}
	i.Version = "etcd"
	for _, at := range endpoints { // one that answers is enough; a role may lack the right to ask
		status, err := i.client.Status(ctx, at)
		if err != nil {
			continue
		}
		i.Version = "etcd " + status.Version
		if !supported(status.Version) {
			return fmt.Errorf("etcd: the server is etcd %s; needed is 3.4 or newer", status.Version)
		}
		if slices.ContainsFunc(status.Errors, func(e string) bool { return strings.Contains(e, "NOSPACE") }) {
			return explain(rpctypes.ErrNoSpace, endpoints)
		}
		break
	}
	return nil
}

// supported tells whether a version such as 3.5.9 is 3.4 or newer.
func supported(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err == nil && err2 == nil && (major > 3 || major == 3 && minor >= 4)
}

// Ask reads a key, as a measure of how long that takes.
func (i *Inspection) Ask(ctx context.Context) error {
	_, err := i.client.Get(ctx, i.head)
	return err
}

// Close ends the connections.
func (i *Inspection) Close() error { return i.client.Close() }
