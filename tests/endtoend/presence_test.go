package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

// Who looks at a page of one server is shown by the other, where the engine carries
// texts between them, and nothing of it is stored.
func showsWhoLooksAtTheOtherServer(t *testing.T, w *world) {
	s, other := w.servers(t)
	post := func(s *server, path, body string) (answer struct{ Results []struct{ Count int } }) {
		t.Helper()
		res, err := http.Post(s.url()+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", path, res.StatusCode, err)
		}
		return answer
	}
	const record = `{"group":"crm","id":"1"}`
	look := func(s *server, who, looks string) {
		post(s, "/v1/presence", fmt.Sprintf(`{"owner":{"session":%q},"page":"p","looks":[%s]}`, who, looks))
	}
	counts := func(s *server) int { return post(s, "/v1/presence-query", `{"mutexes":[`+record+`]}`).Results[0].Count }
	await := func(s *server, want int) {
		t.Helper()
		for end := time.Now().Add(patience); counts(s) != want; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d look, want %d", counts(s), want)
			}
		}
	}
	look(s, "anna", `{"mutex":`+record+`}`)
	look(other, "boris", `{"mutex":`+record+`}`)
	if !w.casts {
		time.Sleep(3 * time.Second)
		if counts(s) != 1 || counts(other) != 1 {
			t.Error("the engine carries texts: say so in docs/engines.md")
		}
		return
	}
	await(s, 2)
	await(other, 2)
	look(s, "anna", "")
	await(other, 1)
	look(s, "anna", `{"mutex":`+record+`}`)
	await(other, 2)
	s.restart()
	await(s, 1)     // it is told again what the other knows
	await(other, 1) // Anna's page will beat again
	page, err := dial(t, other.url()).History(t.Context(), editlock.HistoryQuery{})
	if err != nil || len(page.Entries) != 0 {
		t.Errorf("history has %d entries, %v", len(page.Entries), err)
	}
}
