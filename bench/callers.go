package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/editlock/editlock"
)

// caller is one who behaves, with a key and a connection of their own.
type caller struct {
	number int
	url    string
	client *http.Client
	key    string
	owner  editlock.Owner
	done   int // cycles
}

// work begins a cycle at each beat. A late answer makes those after it late,
// which counts: they wait from when they were meant to begin.
func (c *caller) work(ctx context.Context, begin, end time.Time) (took []time.Duration, err error) {
	for at := begin; at.Before(end); at = at.Add(time.Second / cycles) {
		mine, err := c.cycle(ctx, at, time.Second/cycles/3)
		if err != nil {
			return nil, err
		}
		took = append(took, mine...)
	}
	return took, nil
}

// cycle captures at a time, and refreshes and releases one and two gaps later.
func (c *caller) cycle(ctx context.Context, at time.Time, gap time.Duration) (took []time.Duration, err error) {
	c.done++
	id := invoice(c.number, c.done)
	body := captureBody(id, c.owner, "")
	send := func(path string, body []byte) ([]byte, error) {
		time.Sleep(time.Until(at))
		answer, err := c.post(ctx, path, body)
		took = append(took, time.Since(at))
		at = at.Add(gap)
		return answer, err
	}
	answer, err := send("/v1/capture", body)
	if err != nil {
		return nil, err
	}
	var captured capturedForm
	if err := json.Unmarshal(answer, &captured); err != nil {
		return nil, err
	}
	beat, _ := json.Marshal(map[string]any{ // strings and numbers: can't fail
		"owner": captured.Mutex.Owner,
		"items": []refreshItemForm{{idForm(id), captured.Mutex.Token}},
	})
	if answer, err = send("/v1/refresh", beat); err == nil && bytes.Contains(answer, []byte(`"code"`)) {
		err = fmt.Errorf("a refresh was refused: %s", answer)
	}
	if err == nil {
		_, err = send("/v1/release", body)
	}
	return took, err
}

func (c *caller) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return answer, err
}
