package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
	"github.com/editlock/editlock/connect"
	"github.com/editlock/editlock/internal/config"
	"github.com/editlock/editlock/internal/words"
	"github.com/editlock/editlock/server/httpapi"
	"github.com/editlock/editlock/store/memory"
)

func newDoctor(store string) *doctor {
	a := newApp(words.English)
	a.json = true // prints nothing by itself
	return &doctor{app: a, conf: &config.Config{Settings: config.Settings{Store: store, Listen: "127.0.0.1:0"}}}
}

func TestDoctor_GivesUpWhatHangs(t *testing.T) {
	d := newDoctor("memory:")
	forever := make(chan struct{})
	defer close(forever)
	d.check(t.Context(), "stuck", time.Millisecond, func(context.Context) []finding {
		<-forever
		return nil
	})
	if got := d.found.Checks; len(got) != 1 || got[0].Status != failing || got[0].Check != "stuck" {
		t.Errorf("%+v", got)
	}
}

func TestDoctor_ComparesClocks(t *testing.T) {
	d := newDoctor("memory:")
	for _, tt := range []struct {
		name   string
		e      connect.Examination
		engine string
		want   string
	}{
		{"near", connect.Examination{HasClock: true, Skew: 20 * time.Millisecond}, "postgres", fine},
		{"ahead", connect.Examination{HasClock: true, Skew: 3 * time.Second}, "postgres", warning},
		{"behind", connect.Examination{HasClock: true, Skew: -3 * time.Second}, "redis", warning},
		{"none", connect.Examination{}, "etcd", fine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := d.clock(&tt.e, tt.engine); got.Status != tt.want {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("of a server by the date of its answer", func(t *testing.T) {
		now := time.Now()
		for ahead, want := range map[time.Duration]string{0: fine, time.Minute: warning, -time.Minute: warning} {
			header := http.Header{"Date": {now.Add(ahead).UTC().Format(http.TimeFormat)}}
			if got := d.serverClock(header, now); got.Status != want {
				t.Errorf("%v: %+v", ahead, got)
			}
		}
		if got := d.serverClock(http.Header{}, now); got.Status != warning {
			t.Errorf("%+v", got)
		}
	})
}

func TestDoctor_TellsWhenACertificateEnds(t *testing.T) {
	d := newDoctor("memory:")
	for left, want := range map[time.Duration]string{-time.Hour: failing, 24 * time.Hour: warning, 60 * 24 * time.Hour: fine} {
		if got := d.expiry("tls_cert", &x509.Certificate{NotAfter: time.Now().Add(left)}); got.Status != want {
			t.Errorf("%v left: %+v", left, got)
		}
	}
}

func TestDoctor_FindsAnotherProgramAtThePort(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	d := newDoctor("memory:")
	d.conf.Listen = other.Listener.Addr().String()
	if got := d.port(t.Context()); got[0].Status != failing {
		t.Errorf("%+v", got)
	}
	if got := newDoctor(other.URL).server(t.Context()); len(got) != 1 || got[0].Status != failing {
		t.Errorf("%+v", got)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }() // accepts, and never answers
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := newDoctor("http://" + ln.Addr().String()).server(ctx); len(got) != 1 || got[0].Status != failing {
		t.Errorf("%+v", got)
	}
}

func TestDoctor_KnowsAServerWithTLSAtThePort(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"info": {"title": "editlock", "version": "1"}}`))
	})
	for name, other := range map[string]*httptest.Server{"plain": httptest.NewServer(answer), "TLS": httptest.NewTLSServer(answer)} {
		d := newDoctor("memory:")
		d.conf.Listen = other.Listener.Addr().String()
		if got := d.port(t.Context()); got[0].Status != fine {
			t.Errorf("%s: %+v", name, got)
		}
		other.Close()
	}
}

func TestDoctor_FollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	if got := newDoctor(server.URL).server(t.Context()); len(got) != 1 || got[0].Status != failing {
		t.Errorf("%+v", got)
	}
}

func TestDoctor_LooksAtTheCredentialsFile(t *testing.T) {
	locks := editlock.NewManager(memory.New(nil), nil)
	defer func() { _ = locks.Close() }()
	server := httptest.NewServer(httpapi.New(locks, nil))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "credential")
	if err := os.WriteFile(file, []byte("el_secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o600: fine, 0o640: fine, 0o604: failing} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		d := newDoctor(server.URL)
		d.credentialFile = file
		found := d.server(t.Context())
		i := slices.IndexFunc(found, func(f finding) bool { return f.Check == "credential" })
		if i < 0 || found[i].Status != want {
			t.Errorf("%v: %+v", mode, found)
		}
	}
}

// A program believes what is in its files: who can change one, or put another in its
// place, is believed.
func TestDoctor_LooksAtEachWayToAFile(t *testing.T) {
	if !keepsModes {
		t.Skip("files have no modes here")
	}
	dir := t.TempDir()
	folder := func(name string, mode os.FileMode) string {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(at, 0o700), os.Chmod(at, mode)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	write := func(folder, name string, mode os.FileMode) string {
		at := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(at, []byte("x"), 0o600), os.Chmod(at, mode)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	link := func(to, folder, name string) string {
		at := filepath.Join(folder, name)
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	own, open, sticky := folder("own", 0o700), folder("open", 0o777), folder("sticky", os.ModeSticky|0o777)
	below := folder("open/below", 0o700)
	for _, c := range []struct {
		file           string
		secret, public string
	}{
		{write(own, "600", 0o600), fine, ""},
		{write(own, "640", 0o640), fine, ""},
		{write(own, "644", 0o644), failing, ""},
		{write(own, "602", 0o602), failing, failing},
		{write(sticky, "600", 0o600), fine, ""},
		{write(open, "600", 0o600), failing, failing},
		{write(below, "600", 0o600), failing, failing},
		{link(filepath.Join(own, "644"), own, "to644"), failing, ""},
		{link(filepath.Join(below, "600"), own, "toOpen"), failing, failing},
		{link(filepath.Join(own, "600"), open, "fromOpen"), failing, failing},
		{own, failing, failing},
		{filepath.Join(own, "none"), failing, failing},
	} {
		for kind, want := range map[config.FileKind]string{config.SecretFile: c.secret, config.PublicFile: c.public} {
			status := ""
			for _, f := range newDoctor("memory:").file(config.NamedFile{Setting: "x", Path: c.file, Kind: kind}) {
				status = f.Status
			}
			if status != want {
				t.Errorf("%s, of kind %v: %q, want %q", c.file, kind, status, want)
			}
		}
	}
}

func TestDoctor_NamesWhatIsMissing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	for _, printer := range []*words.Printer{words.English, words.Russian} {
		d := newDoctor("sqlite:" + filepath.Join(folder, "locks.db"))
		d.words = printer
		got := d.engine(t.Context())
		if len(got) != 1 || got[0].Status != failing || !strings.Contains(got[0].Text, folder) || got[0].Advice == "" {
			t.Errorf("%+v", got)
		}
		if got := d.disk(filepath.Join(folder, "locks.db")); len(got) > 0 {
			t.Errorf("said again: %+v", got)
		}
		d.conf.Keys = filepath.Join(folder, "keys.json")
		if got := d.files(); got[0].Status != failing || got[0].Advice == "" || strings.Contains(got[0].Text, "no such file") {
			t.Errorf("%+v", got)
		}
	}
}
