package connect_test

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"

	"editlock"
	"editlock/connect"
	"editlock/internal/enginetest"
)

// docs/engines.md says how to keep tokens apart after a restore by an engine's
// own tools. It must be right word for word.
func TestEngines_LeaveNumbersOutAsTheirDocumentationSays(t *testing.T) {
	page, err := os.ReadFile("../docs/engines.md")
	if err != nil {
		t.Fatal(err)
	}
	token := func(t *testing.T, url string) editlock.Token {
		m, err := open(t, url).Capture(t.Context(), editlock.ID{ID: rand.Text()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.Token
	}
	const stride = 1 << 40
	t.Run("postgres", func(t *testing.T) {
		const text = "SELECT setval('editlock_seq', 1099511627776 + nextval('editlock_seq'));"
		if !strings.Contains(string(page), text) {
			t.Fatalf("engines.md does not say %s", text)
		}
		url := enginetest.With(enginetest.StartPostgres(t).URL, "search_path="+strings.ToLower(rand.Text()))
		before := token(t, url)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), text)
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		if after := token(t, url); after <= before+stride {
			t.Errorf("%d after %d", after, before)
		}
	})
	t.Run("redis", func(t *testing.T) {
		const text = "INCRBY {editlock}:seq 1099511627776"
		if !strings.Contains(string(page), text) {
			t.Fatalf("engines.md does not say %s", text)
		}
		prefix := rand.Text()
		server := enginetest.StartRedis(t)
		url := server.URL + "?prefix=" + prefix
		before := token(t, url)
		option, err := rueidis.ParseURL(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		client, err := rueidis.NewClient(option)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		words := strings.Fields(strings.Replace(text, "{editlock}", "{"+prefix+"}", 1))
		if err := client.Do(t.Context(), client.B().Arbitrary(words...).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		if after := token(t, url); after <= before+stride {
			t.Errorf("%d after %d", after, before)
		}
	})
}

func TestFile(t *testing.T) {
	if path, err := connect.File("sqlite:///var/lib/locks.db"); err != nil || path != "/var/lib/locks.db" {
		t.Errorf("%s, %v", path, err)
	}
	for _, url := range []string{"memory:", "postgres://db/locks", "http://server", "sqlite:"} {
		if path, err := connect.File(url); err == nil {
			t.Errorf("%s is the file %s", url, path)
		}
	}
	if _, err := connect.File("redis://db"); !errors.Is(err, connect.ErrOtherTool) {
		t.Error(err)
	}
}
