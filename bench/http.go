package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/editlock/editlock"
)

// overHTTP asks what durable locks over HTTP cost beside a server that only
// reads and writes JSON of the same sizes.
func overHTTP(ctx context.Context, b *bench) error {
	const clients = 64
	bare, err := start(ctx, "echo")
	if err != nil {
		return err
	}
	defer bare.Close()
	locks, err := start(ctx, "editlock:"+filepath.Join(b.dir, "http.db"))
	if err != nil {
		return err
	}
	defer locks.Close()
	if err := sizes(ctx, bare, locks); err != nil {
		return err
	}

	all := []contender{
		{name: "two bare JSON echoes", clients: clients, op: postPairs(bare)},
		{name: "editlock, durable SQLite", clients: clients, op: postPairs(locks), versus: []versus{{"two bare JSON echoes", 0.6}}},
	}
	scores, err := b.race(ctx, all)
	if err != nil {
		return err
	}
	report(all, scores)
	return nil
}

// postPairs captures and releases by calls to a server.
func postPairs(s *server) func(context.Context, int, int) error {
	return func(ctx context.Context, client, n int) error {
		body := captureBody(invoice(client, n), person(client), "")
		if _, err := s.post(ctx, "/v1/capture", body); err != nil {
			return err
		}
		_, err := s.post(ctx, "/v1/release", body)
		return err
	}
}

// sizes shows that both servers read and write about the same.
func sizes(ctx context.Context, bare, locks *server) error {
	body := captureBody(editlock.ID{Group: "shop", Mode: "invoice", ID: "size"}, person(1), "")
	for _, path := range []string{"/v1/capture", "/v1/release"} {
		got, err := locks.post(ctx, path, body)
		if err != nil {
			return err
		}
		want, err := bare.post(ctx, path, body)
		if err != nil {
			return err
		}
		fmt.Printf("Bodies of %s: %d bytes in; out %d, echo %d.\n", path, len(body), len(got), len(want))
	}
	fmt.Println()
	return nil
}
