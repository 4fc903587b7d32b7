package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/internal/wire"
)

// batchBytes bounds the items of one request, well below what a server takes
// (512 KiB) even if every byte of their text is escaped.
const batchBytes = 400 << 10

// batch are items that go in one request, and their places among all.
type batch struct {
	items  []wire.RefreshItem
	places []int
	bytes  int
}

// Refresh implements Locker. A repetition refreshes again, which changes
// nothing but the times. Many large items are sent in several requests.
func (c *Client) Refresh(ctx context.Context, items []editlock.RefreshItem) ([]editlock.RefreshResult, error) {
	if len(items) == 0 || len(items) > editlock.MaxBatch {
		return nil, invalid("items", "item_count", "has %d items; between 1 and %d are allowed", len(items), editlock.MaxBatch)
	}
	results := make([]editlock.RefreshResult, len(items))
	var byOwner, byToken batch
	for i, item := range items {
		b, owner := &byOwner, me(ctx)
		if item.ByToken {
			b, owner = &byToken, nil
		}
		const most = 6 // bytes that one byte takes in JSON
		size := 300 + most*(len(item.StatusData)+len(item.ID.Group)+len(item.ID.Mode)+len(item.ID.ID)+len(item.ID.Part))
		if b.bytes+size > batchBytes {
			if err := c.refresh(ctx, owner, b, results); err != nil {
				return nil, err
			}
		}
		id := wire.FromID(item.ID)
		b.items = append(b.items, wire.RefreshItem{
			Mutex: &id, Token: uint64(item.Token), StatusData: item.StatusData, AutoRelease: form(item.AutoRelease),
		})
		b.places, b.bytes = append(b.places, i), b.bytes+size
	}
	if err := c.refresh(ctx, me(ctx), &byOwner, results); err != nil {
		return nil, err
	}
	if err := c.refresh(ctx, nil, &byToken, results); err != nil {
		return nil, err
	}
	return results, nil
}

// refresh sends a batch, puts the results in their places and empties it.
func (c *Client) refresh(ctx context.Context, owner *wire.Owner, b *batch, results []editlock.RefreshResult) error {
	if len(b.items) == 0 {
		return nil
	}
	var out wire.RefreshAnswer
	if err := c.post(ctx, "/v1/refresh", &wire.RefreshRequest{Owner: owner, Items: b.items}, &out); err != nil {
		return b.placed(err)
	}
	if len(out.Results) != len(b.items) {
		return unavailable("%s answers %d items with %d results; is it an editlock server?", c.base, len(b.items), len(out.Results))
	}
	for i, res := range out.Results {
		at := &results[b.places[i]]
		if res.Problem != nil {
			at.Err = res.Problem.Err()
			continue
		}
		m, err := c.mutex(res.Mutex)
		if err != nil {
			return err
		}
		at.Mutex = m
	}
	*b = batch{}
	return nil
}

// placed makes an error about an item name its place among all.
func (b *batch) placed(err error) error {
	var bad *editlock.InvalidError
	if !errors.As(err, &bad) {
		return err
	}
	rest, ok := strings.CutPrefix(bad.Field, "items[")
	number, field, closed := strings.Cut(rest, "]")
	i, notNumber := strconv.Atoi(number)
	if !ok || !closed || notNumber != nil || i < 0 || i >= len(b.places) {
		return err
	}
	in := *bad
	in.Field = fmt.Sprintf("items[%d]%s", b.places[i], field)
	return &in
}
