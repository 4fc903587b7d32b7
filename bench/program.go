package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/editlock/editlock/internal/cli"
	"github.com/editlock/editlock/tests/abuse"
)

// programChild is "editlock serve" as people run it, configured by the file
// editlock.toml in a folder, with its log beside it.
func programChild(ctx context.Context, dir string) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}

	ctx, stop := context.WithCancel(ctx)
	ended := make(chan int, 1)
	go func() {
		args := []string{"serve", "--listen", address, "--config", filepath.Join(dir, "editlock.toml")}
		ended <- cli.Main(ctx, args, strings.NewReader(""), io.Discard, log, nil)
	}()
	for !answers(ctx, "http://"+address+"/readyz") {
		select {
		case status := <-ended:
			stop()
			return fmt.Errorf("editlock serve ended with status %d", status)
		case <-time.After(10 * time.Millisecond):
		}
	}
	err = converse("http://"+address, used)
	stop()
	if status := <-ended; status != 0 {
		err = errors.Join(err, fmt.Errorf("editlock serve ended with status %d", status))
	}
	return err
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// crowdChild is a crowd that abuses the server at an address. Its words are
// "begin" and "end", "tries", the connections it made, "answers", how many it
// read, and a status such as "429", how many of them had it.
func crowdChild(ctx context.Context, address, credential string, each, floods int) error {
	crowd := &abuse.Crowd{Address: address, Credential: credential, Each: each, Floods: floods}
	stop, all := func() {}, sync.WaitGroup{}
	err := converse("crowd", func(what string) (int64, error) {
		switch what {
		case "begin":
			var run context.Context
			run, stop = context.WithCancel(ctx)
			all.Go(func() { crowd.Run(run) })
			return 0, nil
		case "end":
			stop()
			all.Wait()
			return 0, nil
		case "tries":
			var n uint64
			for _, tries := range crowd.Tries() {
				n += tries
			}
			return int64(n), nil
		case "answers":
			var n uint64
			for _, answers := range crowd.Answers() {
				n += answers
			}
			return int64(n), nil
		case "cpu":
			return used(what)
		}
		status, err := strconv.Atoi(what)
		return int64(crowd.Answers()[status]), err
	})
	stop()
	all.Wait()
	return err
}

// startCrowd starts a crowd, not begun yet, that leaves the processor to all
// others: it stands for clients on machines of their own.
func startCrowd(ctx context.Context, at *server, credential string, each, floods int) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return launch(lowPriority(exec.CommandContext(ctx, self, childCommand,
		fmt.Sprintf("crowd:%s %s %d %d", strings.TrimPrefix(at.url, "http://"), credential, each, floods))))
}
