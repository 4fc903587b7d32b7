package redis

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock/internal/enginetest"
	"github.com/editlock/editlock/store"
	"github.com/editlock/editlock/store/core"
	"github.com/editlock/editlock/store/kv"
)

// monitor sees what clients send to a server.
type monitor struct {
	server *enginetest.Redis
	conn   net.Conn
	lines  *bufio.Scanner
	marks  int
}

func newMonitor(t *testing.T, server *enginetest.Redis) *monitor {
	t.Helper()
	conn, err := net.Dial("tcp", enginetest.Address(server.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		t.Fatal(err)
	}
	m := &monitor{server: server, conn: conn, lines: bufio.NewScanner(conn)}
	m.lines.Buffer(nil, 1<<20)
	m.lines.Scan() // OK
	return m
}

// sees returns how many calls f sends, and how many commands their scripts call.
func (m *monitor) sees(t *testing.T, f func()) (calls, commands int) {
	t.Helper()
	f()
	m.marks++
	mark := fmt.Sprint("mark ", m.marks)
	if _, err := m.server.Ask(t, "ECHO", mark); err != nil {
		t.Fatal(err)
	}
	for m.lines.Scan() {
		switch line := m.lines.Text(); {
		case strings.Contains(line, mark):
			return calls, commands
		case strings.Contains(line, " lua] "):
			commands++
		default:
			calls++
		}
	}
	t.Fatal(m.lines.Err())
	return 0, 0
}

// watched opens a store that does nothing by itself.
func watched(t *testing.T) (*engine, store.Store, *monitor) {
	t.Helper()
	server := enginetest.StartRedis(t, "appendonly=no")
	e, err := reach(t.Context(), server.Store(), "")
	if err != nil {
		t.Fatal(err)
	}
	st := core.New(e)
	t.Cleanup(func() { _ = st.Close() })
	if err := e.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	// All scripts are known from now on, and the connection of a lone caller is open.
	for range 3 {
		if _, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{{Name: "none", Do: store.Renew, Expect: store.Expect{Token: 1}}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := st.List(t.Context(), store.RecordQuery{}); err != nil {
			t.Fatal(err)
		}
	}
	return e, st, newMonitor(t, server)
}

func TestUncontendedCallsTakeOneRoundTrip(t *testing.T) {
	_, st, m := watched(t)
	ann, bob := store.Party{Session: "ann", User: "a"}, store.Party{Session: "bob", User: "b"}
	take := func(who store.Party) store.Op {
		return store.Op{
			Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{Idle: time.Minute},
			Event: &store.Event{Kind: "captured", Actor: who},
		}
	}
	data := ""
	for _, step := range []struct {
		name  string
		req   store.Txn
		done  bool
		plain int // commands that a plain transaction takes; 0: it is another
	}{
		{"a capture", store.Txn{ID: "1", Ops: []store.Op{take(ann)}}, true, 7},
		{"a capture repeated", store.Txn{ID: "1", Ops: []store.Op{take(ann)}}, true, 0},
		{"a refused capture", store.Txn{ID: "2", Ops: []store.Op{take(bob)}}, false, 2},
		{"a renewal", store.Txn{Ops: []store.Op{{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &ann.Session}}}}, true, 3},
		{"a renewal by status data", store.Txn{Ops: []store.Op{{Name: "a", Do: store.Renew, Expect: store.Expect{Session: &ann.Session, Data: &data}}}}, true, 3},
		{"a release", store.Txn{ID: "3", Ops: []store.Op{{
			Name: "a", Do: store.Release, Expect: store.Expect{Session: &ann.Session}, Event: &store.Event{Kind: "released", Actor: ann},
		}}}, true, 7},
	} {
		calls, commands := m.sees(t, func() {
			res, err := st.Commit(t.Context(), step.req)
			if err != nil || res.Done != step.done {
				t.Fatalf("%s: %+v, %v", step.name, res, err)
			}
		})
		if calls != 1 {
			t.Errorf("%s took %d round trips", step.name, calls)
		}
		if step.plain > 0 && commands > step.plain {
			t.Errorf("%s took %d commands in its script; %d are enough", step.name, commands, step.plain)
		}
	}
}

// A script that looks at very many rows keeps Redis from others.
func TestStore_ListPassesOverManyRowsInPieces(t *testing.T) {
	e, st, m := watched(t)
	const many = 3500
	for i := 0; i < many; i += 500 {
		var txn kv.Txn
		for j := range 500 {
			txn.Then = append(txn.Then, kv.Write{Key: fmt.Sprintf("h%05d", i+j), Tags: []string{"ss"}, TTL: time.Millisecond})
		}
		if _, err := e.Commit(t.Context(), []kv.Txn{txn}); err != nil {
			t.Fatal(err)
		}
	}
	who := store.Party{Session: "s", User: "bob"}
	res, err := st.Commit(t.Context(), store.Txn{Ops: []store.Op{{
		Name: "99999", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Terms: &store.Terms{},
	}}})
	if err != nil || !res.Done {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, q := range []store.RecordQuery{{}, {Session: "s"}} {
		n, _ := m.sees(t, func() {
			var found []store.Record
			for more := true; more; more = q.After != "" {
				page, err := st.List(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, page.Records...)
				q.After, q.AfterToken = page.Next, page.NextToken
			}
			if len(found) != 1 || found[0].Name != "99999" {
				t.Errorf("found are %+v", found)
			}
		})
		if n < many/1000 {
			t.Errorf("%d rows were looked at in %d round trips", many, n)
		}
	}
}

// Who reads one entry looks through those that are kept with it.
func TestLog_LargeTransactionsAreKeptInPieces(t *testing.T) {
	e, _, m := watched(t)
	txn := kv.Txn{Numbers: 500}
	for n := range 500 {
		txn.Log = append(txn.Log, kv.Entry{Number: n + 1, Value: fmt.Append(nil, "entry ", n+1), Tags: []string{"all", fmt.Sprint("tag ", n+1)}})
	}
	answers, err := e.Commit(t.Context(), []kv.Txn{{Numbers: 1, Log: txn.Log[:1]}, txn})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := m.server.Ask(t, "XLEN", e.head+"log"); err != nil || n != "16" {
		t.Errorf("501 entries are kept in %s pieces, %v", n, err)
	}
	pages, err := e.Log(t.Context(), kv.LogQuery{Tag: "tag 300", Limit: 2}, kv.LogQuery{Tag: "all", After: answers[1].First + 249, Limit: 1}, kv.LogQuery{Limit: 600})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"entry 300", "entry 251"} {
		if got := pages[i].Entries; len(got) != 1 || string(got[0].Value) != want {
			t.Errorf("found are %+v; want %s", got, want)
		}
	}
	for i, in := range pages[2].Entries {
		if want := fmt.Sprint("entry ", max(1, i)); in.Number != answers[0].First+uint64(i) || string(in.Value) != want {
			t.Fatalf("entry %d is %d, %s; want %s", i, in.Number, in.Value, want)
		}
	}
	if len(pages[2].Entries) != 501 {
		t.Errorf("%d entries are found", len(pages[2].Entries))
	}
}
