package webui

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

// agent acts for somebody, in a session and with a user of its own.
func agent(name, of string) editlock.Owner {
	o := person(name)
	o.Kind, o.OnBehalfOf = editlock.Agent, of
	return o
}

// anna is a person whose assistant has her session and user.
func anna() (her, assistant editlock.Owner) {
	her = person("Anna")
	assistant = her
	assistant.Kind, assistant.Name, assistant.OnBehalfOf = editlock.Agent, "Helper", "Anna"
	return her, assistant
}

// helpers is a table with all kinds of owners.
func helpers() *fixed {
	her, hers := anna()
	job := person("Import")
	job.Kind, job.OnBehalfOf = editlock.Job, "sales"
	l := &fixed{}
	for i, o := range []editlock.Owner{agent("Assistant", "Ivanov"), her, hers, job, agent("Bot", "")} {
		m := held(editlock.ID{Group: "crm", Mode: "contract", ID: string(rune('7' + i))}, o, time.Hour, time.Hour)
		m.Token = editlock.Token(i + 1)
		l.mutexes = append(l.mutexes, m)
		l.entries = append(l.entries, editlock.Event{Seq: uint64(20 - 2*i), Kind: editlock.KindCaptured, ID: m.ID, Owner: o, Actor: o, Token: m.Token, At: m.CapturedAt})
	}
	l.mutexes[1].Waiters = []editlock.Waiter{{ID: "w", Owner: agent("Assistant", "Ivanov"), Since: epoch, Message: "may I?"}}
	l.mutexes[1].Waiting = 1
	l.entries = append(l.entries, editlock.Event{Seq: 1, Kind: editlock.KindTakenOver, ID: l.mutexes[0].ID, Owner: her, Actor: her, Other: agent("Bot", ""), At: epoch.Add(-2 * time.Hour), Reason: "mine"})
	return l
}

func TestKinds_StandBesideNames(t *testing.T) {
	v := visit(t, helpers(), "Petrova")
	for address, want := range map[string][]string{
		"/":                              {"Assistant</bdi></a> <span class=\"share for\">agent for Ivanov</span>", "job for sales", "<span class=\"share for\">agent</span>"},
		"/ui/lock?id=crm/contract/8":     {"<bdi>Anna</bdi></a>", "Assistant</bdi></a> <span class=\"share for\">agent for Ivanov"},
		"/ui/person?who=u:assistant":     {`<p class="eyebrow">Agent</p>`, "On behalf of", "<bdi>Ivanov</bdi>"},
		"/ui/person?who=u:import":        {`<p class="eyebrow">Job</p>`},
		"/ui/person?who=u:anna":          {`<p class="eyebrow">Person</p>`, "Anna</bdi></h1>", "Helper</bdi></a> <span class=\"share for\">agent for Anna"},
		"/ui/history":                    {"agent for Ivanov", "job for sales"},
		"/?q=agent+nothing":              {"No lock matches"},
		"/?q=SALES":                      {"job for sales"},
		"/?q=job":                        {"job for sales"},
		"/ui/lock?id=crm/contract/7&x=1": {"agent for Ivanov"},
	} {
		body := v.get(address)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not show %q", address, text)
			}
		}
	}
	if body := v.get("/"); !strings.Contains(body, `<option value="u:anna">Anna (2)</option>`) || !strings.Contains(body, `<option value="u:bot">Bot, agent (1)</option>`) {
		t.Error("the filter by person calls somebody by their agent's name, or an agent a person")
	}
}

func TestKinds_AnAgentsLockIsNotItsPersons(t *testing.T) {
	her, hers := anna()
	v := visit(t, helpers(), "")
	v.manager = New(helpers(), &Options{Identify: func(*http.Request) Identity { return Identity{Owner: her} }})
	if diff := cmp.Diff([]string{"8"}, idsOn(v.get("/?mine=1"))); diff != "" {
		t.Errorf("her own are %s", diff)
	}
	body := v.get("/")
	if strings.Count(body, ">Release</button>") != 1 || !strings.Contains(body, `aria-label="Release crm/contract/8"`) {
		t.Error("she may release what is not hers, or not what is")
	}
	stated := Identity{Owner: editlock.Owner{Session: "s", Name: "Helper"}, Stated: true}
	if stated.owns(hers) {
		t.Error("an agent's lock is that of a person who has its name")
	}
	if (Identity{Owner: agent("Bot", ""), MayRelease: true, MayTakeOver: true}).may(takeOver, editlock.ID{ID: "x"}, her) {
		t.Error("an agent is offered a person's lock")
	}
}

func TestKinds_ExportsTellThem(t *testing.T) {
	_, body := visit(t, helpers(), "").do("/ui/history.csv")
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	var got [][]string
	for _, line := range lines[1:] {
		got = append(got, []string{line[at["owner_kind"]], line[at["owner_on_behalf_of"]], line[at["other_kind"]]})
	}
	want := [][]string{{"agent", "Ivanov", ""}, {"person", "", ""}, {"agent", "Anna", ""}, {"job", "sales", ""}, {"agent", "", ""}, {"person", "", "agent"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAct_TakesOverFromAnAgentAtOnce(t *testing.T) {
	l := locker(t)
	id := editlock.ID{Group: "crm", Mode: "contract", ID: "7"}
	m := hold(t, l, agent("Assistant", "Ivanov"), id)
	other := hold(t, l, person("Ivanov"), editlock.ID{Group: "crm", Mode: "contract", ID: "8"})
	me := person("Petrova")
	usable := []editlock.Area(nil)
	v := visit(t, l, "")
	v.manager = New(l, &Options{Identify: func(*http.Request) Identity { return Identity{Owner: me, Usable: usable} }})

	usable = []editlock.Area{{Group: "hr", Mode: "*"}}
	if body := v.get("/"); strings.Contains(body, "at_once") {
		t.Error("offered where the reader may not use the lock")
	}
	usable = []editlock.Area{{Group: "crm", Mode: "*"}}
	body := v.get("/")
	if strings.Count(body, "at_once=1") != 1 || strings.Contains(body, `formaction="./ui/confirm?do=takeover" aria-label`) {
		t.Errorf("an agent's lock is not offered, or another's is:\n%s", body)
	}
	if res, body := v.do("/ui/act?do=takeover&at_once=1", "one="+keyOf(other)); res.StatusCode != http.StatusForbidden {
		t.Errorf("a person's lock at once is answered %s:\n%s", res.Status, body)
	}
	if res, _ := v.do("/ui/act?do=release&at_once=1", "one="+keyOf(m)); res.StatusCode == http.StatusSeeOther {
		t.Error("an agent's lock was released without a reason")
	}
	if res, body := v.do("/ui/act?do=takeover&at_once=1", "one="+keyOf(m)); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("answered %s:\n%s", res.Status, body)
	}
	if diff := cmp.Diff([]string{"taken_over 7 by Petrova from Assistant: A person takes over from the agent."}, told(t, l, 1)); diff != "" {
		t.Error(diff)
	}
	if _, body := v.do("/ui/act?do=takeover&at_once=1", "one="+keyOf(m)); !strings.Contains(body, "have changed since you saw them") {
		t.Errorf("once more is answered:\n%s", body)
	}
}
