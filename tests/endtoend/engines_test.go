package endtoend

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/editlock/editlock/internal/enginetest"
)

// world is one engine, on which each test has a store and two servers of its
// own.
type world struct {
	store func(t *testing.T) (url string)
	kills int  // how often the server is killed under load
	casts bool // servers hear who looks at the others
}

// servers starts two servers on one new store.
func (w *world) servers(t *testing.T) (*server, *server) {
	t.Helper()
	url := w.store(t)
	return startServer(t, url), startServer(t, url)
}

// engines start what they need, or take what the environment names.
var engines = []struct {
	name string
	open func(t *testing.T) *world
}{
	{"sqlite", func(*testing.T) *world {
		return &world{kills: 25, store: func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "locks.db") }}
	}},
	{"postgres", func(t *testing.T) *world {
		p := enginetest.StartPostgres(t)
		return &world{kills: 10, casts: true, store: func(t *testing.T) string {
			url, _ := p.Schema(t)
			return url
		}}
	}},
	{"mariadb", func(t *testing.T) *world {
		m := enginetest.StartMariaDB(t)
		return &world{kills: 10, store: func(t *testing.T) string { return m.Database(t) }}
	}},
	{"redis", func(t *testing.T) *world {
		r := enginetest.StartRedis(t, enginetest.Durable...)
		return &world{kills: 10, casts: true, store: func(*testing.T) string { return r.Store() }}
	}},
	{"etcd", func(t *testing.T) *world {
		e := enginetest.StartEtcd(t)
		return &world{kills: 10, store: func(*testing.T) string { return "etcd://" + e.Host + "/" + rand.Text() }}
	}},
}

// TestServers is all that two servers on one store must do, on every engine.
func TestServers(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			w := engine.open(t)
			for _, test := range []struct {
				name string
				run  func(t *testing.T, w *world)
			}{
				{"eight waiters get their turn in order", eightWaitersGetTheirTurnInOrder},
				{"a cut connection is passed over", passesOverACutConnection},
				{"a newcomer who barges is refused", refusesANewcomerWhoBarges},
				{"a wait that is withdrawn at the other server is over", endsAWaitWithdrawnAtTheOtherServer},
				{"the queue outlives a killed server", outlivesAKilledServer},
				{"what the dead held passes on in time", passesOnWhatTheDeadHeld},
				{"a rolling restart loses nothing", losesNothingInARollingRestart},
				{"a server that stood still brings its queue back in order", standsStillAndKeepsTheOrder},
				{"a server that stops answers with the truth", stopsWithTrueAnswers},
				{"a retry is given the same grant", givesTheRetryTheSameGrant},
				{"a grant is given again when the answer is lost", givesTheGrantAgainWhenTheAnswerIsLost},
				{"a stream that resumes shows every event once", resumesOverARestart},
				{"who looks is shown by the other server", showsWhoLooksAtTheOtherServer},
				{"what was acknowledged outlives kills", keepsWhatWasAcknowledged},
			} {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, w)
				})
			}
		})
	}
}
