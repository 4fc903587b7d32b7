package faults

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/netfault"
)

// What nobody contends for takes one round trip on every engine with a server:
// counted on the network, or by etcd itself, since what HTTP/2 sends besides
// calls can't be told from them there.
func TestUncontendedCallsTakeOneRoundTripOnTheNetwork(t *testing.T) {
	for _, e := range engines {
		if e.name == "sqlite" {
			continue // a file has no network
		}
		t.Run(e.name, func(t *testing.T) {
			engine := e.start(t)
			network := netfault.Start(t, engine.address)
			l := open(t, engine.url(network.Address))
			trips := func() int { return network.Trips() }
			if e.name == "etcd" {
				trips = func() int { return etcdCalls(t, engine.address) }
			}

			const names = 200
			who := editlock.WithOwner(t.Context(), editlock.Owner{Session: "tab", UserID: "ivanov"})
			held := make([]editlock.Mutex, names)
			id := func(i int) editlock.ID { return editlock.ID{Group: "crm", Mode: "contract", ID: strconv.Itoa(i)} }
			steps := []struct {
				name string
				call func(i int) error
			}{
				{"warms up", func(i int) error {
					m, err := l.Capture(who, editlock.ID{Group: "warm", ID: strconv.Itoa(i)}, nil)
					if err == nil {
						_, err = l.Release(who, m.ID, editlock.IfToken(m.Token))
					}
					return err
				}},
				{"capture", func(i int) (err error) {
					held[i], err = l.Capture(who, id(i), nil)
					return err
				}},
				{"refresh", func(i int) error {
					results, err := l.Refresh(who, []editlock.RefreshItem{{ID: id(i), Token: held[i].Token}})
					if err == nil {
						err = results[0].Err
					}
					return err
				}},
				{"release", func(i int) error {
					_, err := l.Release(who, id(i), editlock.Condition{})
					return err
				}},
			}
			for _, step := range steps {
				before, began := trips(), time.Now()
				for i := range names {
					if err := step.call(i); err != nil {
						t.Fatalf("%s: %v", step.name, err)
					}
				}
				// What the store does besides calls, such as its sweeps, is a few more
				// for each second that they take; a second trip would be twice as many.
				besides := min(names/2, names/10+int(30*time.Since(began).Seconds()))
				if n := trips() - before; step.name != "warms up" && (n < names || n > names+besides) {
					t.Errorf("%d times %s took %d round trips", names, step.name, n)
				}
			}
		})
	}
}

// etcdCalls is how many reads and writes an etcd was asked for since it started.
func etcdCalls(t *testing.T, address string) (n int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, method := range []string{"Range", "Put", "DeleteRange", "Txn"} {
			counter := fmt.Sprintf(`grpc_server_started_total{grpc_method=%q,grpc_service="etcdserverpb.KV",grpc_type="unary"}`, method)
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), counter+" "); ok {
				calls, err := strconv.ParseFloat(value, 64)
				if err != nil {
					t.Fatal(err)
				}
				n += int(calls)
			}
		}
	}
	return n
}
