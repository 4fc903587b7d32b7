package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver of sqlMain
)

// getMain is the program get URL [LANGUAGE], which prints what it gets, and
// get --unfinished URL, which begins a request and never ends it.
func getMain() {
	if os.Args[1] == "--unfinished" {
		hang(os.Args[2])
		return
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, os.Args[1], nil)
	check(err)
	if len(os.Args) > 2 {
		req.Header.Set("Accept-Language", os.Args[2])
	}
	show(req)
}

// bearerMain is the program bearer FILE URL, which prints what it gets with the
// key or token in a file.
func bearerMain() {
	secret, err := os.ReadFile(os.Args[1])
	check(err)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, os.Args[2], nil)
	check(err)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(secret)))
	show(req)
}

func show(req *http.Request) {
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	check(err)
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.Status)
	if to := resp.Header.Get("Location"); to != "" {
		fmt.Println("Location:", to)
	}
	_, err = io.Copy(os.Stdout, resp.Body)
	check(err)
}

func hang(address string) {
	u, err := url.Parse(address)
	check(err)
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", u.Host)
	check(err)
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		u.Path, u.Host)
	check(err)
	fmt.Println("sent")
	_, _ = io.Copy(io.Discard, conn)
}

// sqlMain is the program sql FILE STATEMENT.
func sqlMain() {
	db, err := sql.Open("sqlite", os.Args[1])
	check(err)
	_, err = db.ExecContext(context.Background(), os.Args[2])
	check(err)
	check(db.Close())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
