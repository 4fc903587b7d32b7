package locktest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a server that scenarios are replayed against.
type Server struct {
	URL string
	// Advance puts its store's clock forward. Nil: time is waited for.
	Advance func(d time.Duration)
}

// Replay replays every case of the scenarios in a folder (see its README for
// their language), each against a server that open starts.
func Replay(t *testing.T, folder string, open func(t *testing.T) Server) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			s := readScenario(t, file)
			for i, c := range s.Cases {
				t.Run(c.Name, func(t *testing.T) {
					r := &replay{server: open(t), vars: map[string]any{}, running: map[string]*running{}}
					r.caseName = fmt.Sprintf("case-%d-%d", i, time.Now().UnixNano())
					r.let(t, s.Let)
					for n, step := range c.Steps {
						r.step(t, fmt.Sprintf("step %d (%s)", n+1, step.title()), step)
					}
				})
			}
		})
	}
}

// scenario is one file.
type scenario struct {
	Title string         `json:"title"`
	Let   map[string]any `json:"let"`
	Cases []struct {
		Name  string `json:"name"`
		Raw   bool   `json:"raw"` // for those who write their own JSON; here all are
		Steps []step `json:"steps"`
	} `json:"cases"`
}

// step is a call, or one of the other things that a case is made of.
type step struct {
	As    any               `json:"as"`
	Call  string            `json:"call"`
	With  map[string]any    `json:"with"`
	Key   string            `json:"key"`
	Want  any               `json:"want"`
	Error any               `json:"error"`
	Until any               `json:"until"`
	Save  map[string]string `json:"save"`

	Start  string `json:"start"`
	End    string `json:"end"`
	Cancel string `json:"cancel"`
	Pass   string `json:"pass"`
}

func (s step) title() string {
	for _, name := range []string{s.Call, s.End, s.Cancel, s.Pass} {
		if name != "" {
			return name
		}
	}
	return "nothing"
}

func readScenario(t *testing.T, file string) scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s scenario
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber() // tokens are compared digit by digit
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(s.Cases) == 0 {
		t.Fatalf("%s has no cases", file)
	}
	return s
}

// replay is one case under way.
type replay struct {
	server   Server
	caseName string
	vars     map[string]any
	running  map[string]*running
}

// running is a call started in the background.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	got    answer
}

// let fills in the names a file gives to values.
func (r *replay) let(t *testing.T, names map[string]any) {
	t.Helper()
	for name, value := range names {
		r.vars[name] = r.fill(t, value)
	}
}

// fill replaces $name by the value of that name, and ${case} within texts.
func (r *replay) fill(t *testing.T, value any) any {
	t.Helper()
	switch v := value.(type) {
	case string:
		if name, ok := strings.CutPrefix(v, "$"); ok && !strings.HasPrefix(name, "{") {
			known, ok := r.vars[name]
			if !ok {
				t.Fatalf("nothing was saved or let as %s", name)
			}
			return known
		}
		return strings.ReplaceAll(v, "${case}", r.caseName)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = r.fill(t, x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = r.fill(t, x)
		}
		return out
	}
	return value
}

func (r *replay) step(t *testing.T, title string, s step) {
	t.Helper()
	switch {
	case s.Pass != "":
		d, err := time.ParseDuration(s.Pass)
		if err != nil {
			t.Fatalf("%s: %v", title, err)
		}
		System{Advance: r.server.Advance}.rest(d)
	case s.Cancel != "":
		r.find(t, title, s.Cancel).cancel()
	case s.End != "":
		c := r.find(t, title, s.End)
		select {
		case <-c.done:
		case <-time.After(patience):
			t.Fatalf("%s goes on for %v", title, patience)
		}
		r.compare(t, title, s, c.got)
	case s.Start != "":
		r.running[s.Start] = r.start(t, s)
	case s.Until != nil:
		want := r.fill(t, s.Until)
		eventually(t, title, func() bool { return match(want, r.call(t, s).body) == nil })
	default:
		r.compare(t, title, s, r.call(t, s))
	}
}

func (r *replay) find(t *testing.T, title, name string) *running {
	t.Helper()
	c := r.running[name]
	if c == nil {
		t.Fatalf("%s: nothing was started as %s", title, name)
	}
	return c
}

func (r *replay) call(t *testing.T, s step) answer {
	t.Helper()
	return r.prepare(t, s).send(t.Context())
}

func (r *replay) start(t *testing.T, s step) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &running{cancel: cancel, done: make(chan struct{})}
	request := r.prepare(t, s)
	go func() {
		defer close(c.done)
		c.got = request.send(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-c.done
	})
	return c
}

// compare holds an answer to what the step wants, and saves what it names.
func (r *replay) compare(t *testing.T, title string, s step, got answer) {
	t.Helper()
	want, refused := s.Want, s.Error != nil
	if refused {
		want = s.Error
	}
	switch {
	case got.err != nil:
		t.Fatalf("%s: %v", title, got.err)
	case refused && (got.status < 400 || got.status > 499), !refused && got.status != 200:
		t.Fatalf("%s: status %d, %s", title, got.status, got.text)
	}
	if err := match(r.fill(t, want), got.body); err != nil {
		t.Fatalf("%s: %v in %s", title, err, got.text)
	}
	for name, path := range s.Save {
		value, err := at(got.body, path)
		if err != nil {
			t.Fatalf("%s: %v in %s", title, err, got.text)
		}
		r.vars[name] = value
	}
}

var errNotThere = errors.New("is not there")
