package words

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/editlock/editlock"
)

var formatVerb = regexp.MustCompile(`%(?:\[(\d+)\])?([a-zA-Z])`)

// verbs maps the arguments of a format to the verbs they are printed with.
func verbs(format string) map[int]string {
	found := map[int]string{}
	next := 1
	for _, m := range formatVerb.FindAllStringSubmatch(strings.ReplaceAll(format, "%%", ""), -1) {
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		found[next] = m[2]
		next++
	}
	return found
}

func asReader(m editlock.Mutex) *editlock.Mutex {
	m.Sharing = editlock.Shared
	return &m
}

func TestSentences_KeepTheirOrderWhateverNamesAreWrittenIn(t *testing.T) {
	p := For(language.English)
	m := editlock.Mutex{
		ID: editlock.ID{Mode: "משימה", ID: "1"}, Owner: editlock.Owner{Session: "s", Name: "דוד 7\u2069\u202e"},
		CapturedAt: time.Date(2026, 3, 1, 12, 4, 0, 0, time.Local), AsOf: time.Date(2026, 3, 1, 12, 5, 0, 0, time.Local),
	}
	const who, what = "\u2068דוד 7  \u2069", "\u2068משימה/1\u2069"
	lost := &editlock.LostError{
		ID: m.ID, How: editlock.KindTakenOver, By: editlock.Owner{Session: "t", Name: "שרה"}, At: m.AsOf, Reason: "דחוף!", Holder: &m,
	}
	for got, want := range map[string]string{
		p.Editing(m):                            who + " has been editing " + what + " since 12:04",
		p.Error(&editlock.BusyError{Holder: m}): "busy: " + who + " has been editing " + what + " since 12:04",
		p.Error(lost):                           "the lock on " + what + " is lost: \u2068שרה\u2069 took it over at 12:05 (\u2068דחוף!\u2069); " + who + " has it now",
		Plain("plain text"):                     "plain text",
		Name(m.ID):                              "משימה/1", // which can be read back
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWho_SaysWhatIsNoPerson(t *testing.T) {
	for _, tt := range []struct {
		owner  editlock.Owner
		en, ru string
	}{
		{editlock.Owner{Session: "s", Name: "Anna"}, "Anna", "Anna"},
		{editlock.Owner{Session: "s", Name: "Helper", Kind: editlock.Agent}, "Helper (agent)", "Helper (агент)"},
		{editlock.Owner{Session: "s", Name: "Helper", Kind: editlock.Agent, OnBehalfOf: "Anna"}, "Helper (agent for Anna)", "Helper (агент, от имени: Anna)"},
		{editlock.Owner{Session: "s", Name: "import", Kind: editlock.Job}, "import (job)", "import (задание)"},
		{editlock.Owner{Session: "s", Name: "import", Kind: editlock.Job, OnBehalfOf: "sales"}, "import (job for sales)", "import (задание, от имени: sales)"},
	} {
		for tag, want := range map[language.Tag]string{language.English: tt.en, language.Russian: tt.ru} {
			if got := For(tag).Who(tt.owner); got != want {
				t.Errorf("%+v is called %q, want %q", tt.owner, got, want)
			}
		}
		if err := (&editlock.BusyError{Holder: editlock.Mutex{Owner: tt.owner}}); !strings.Contains(err.Error(), "held by "+tt.en+" since") {
			t.Errorf("the refusal is %q", err)
		}
	}
}

func TestCatalogue_BothLanguagesSayTheSame(t *testing.T) {
	for key, text := range catalogue {
		if text.en == "" || text.ru == "" {
			t.Errorf("%s: en %q, ru %q: neither may be empty", key, text.en, text.ru)
		}
		if diff := cmp.Diff(verbs(text.en), verbs(text.ru)); diff != "" {
			t.Errorf("%s: the arguments differ (-en +ru):\n%s", key, diff)
		}
		if strings.Count(text.en, "`") != strings.Count(text.ru, "`") {
			t.Errorf("%s: one language names the value in backquotes, the other does not", key)
		}
	}
	for key, f := range counted {
		if _, twice := catalogue[key]; twice {
			t.Errorf("%s is a text and a counted text", key)
		}
		checkForms(t, key, f.en, plural.One, plural.Other)
		checkForms(t, key, f.ru, plural.One, plural.Few, plural.Many)
	}
}

// checkForms wants all the forms that whole numbers have in a language, with
// the same arguments as in English.
func checkForms(t *testing.T, key string, got map[plural.Form]string, want ...plural.Form) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d forms, want %v", key, len(got), want)
	}
	for _, form := range want {
		if got[form] == "" {
			t.Errorf("%s has no form %v", key, form)
		}
		if diff := cmp.Diff(verbs(counted[key].en[plural.Other]), verbs(got[form])); diff != "" {
			t.Errorf("%s, form %v: the arguments differ from English:\n%s", key, form, diff)
		}
	}
}

func TestCatalogue_NamesAllKinds(t *testing.T) {
	for _, k := range []editlock.EventKind{
		editlock.KindCaptured, editlock.KindReleased, editlock.KindExpired, editlock.KindTakenOver,
		editlock.KindForceReleased, editlock.KindHandedOver, editlock.KindWaiting, editlock.KindDeclined, editlock.KindGap,
	} {
		for _, key := range []string{"kind." + string(k), "event." + string(k)} {
			if _, ok := catalogue[key]; !ok {
				t.Errorf("no text %s", key)
			}
		}
	}
}

func TestLocale(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want *Printer
	}{
		{"nothing set", nil, English},
		{"LANG", map[string]string{"LANG": "ru_RU.UTF-8"}, Russian},
		{"LC_MESSAGES before LANG", map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "ru_RU.UTF-8"}, Russian},
		{"LC_ALL before LC_MESSAGES", map[string]string{"LC_ALL": "C", "LC_MESSAGES": "ru_RU.UTF-8"}, English},
		{"an empty LC_ALL is not set", map[string]string{"LC_ALL": "", "LANG": "ru"}, Russian},
		{"C with a character set", map[string]string{"LANG": "C.UTF-8"}, English},
		{"POSIX", map[string]string{"LANG": "POSIX"}, English},
		{"another language", map[string]string{"LANG": "ja_JP.UTF-8"}, English},
		{"Russian of another country", map[string]string{"LANG": "ru_BY@euro"}, Russian},
		{"nonsense", map[string]string{"LANG": "!?"}, English},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Locale(func(name string) string { return tt.env[name] })
			if got != tt.want {
				t.Errorf("got %s, want %s", got.Language(), tt.want.Language())
			}
		})
	}
}

func TestFor_PrefersTheReadersFirstLanguage(t *testing.T) {
	for accept, want := range map[string]*Printer{
		"ru,en;q=0.8": Russian, "en-GB,ru;q=0.8": English, "de,ru;q=0.5": Russian, "": English,
	} {
		tags, _, err := language.ParseAcceptLanguage(accept)
		if err != nil {
			t.Fatal(err)
		}
		if got := For(tags...); got != want {
			t.Errorf("%q: got %s, want %s", accept, got.Language(), want.Language())
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int][2]string{
		1:  {"1 waiting", "ждёт 1 человек"},
		2:  {"2 waiting", "ждут 2 человека"},
		5:  {"5 waiting", "ждут 5 человек"},
		11: {"11 waiting", "ждут 11 человек"},
		21: {"21 waiting", "ждёт 21 человек"},
	} {
		got := [2]string{English.Count("waiting", n), Russian.Count("waiting", n)}
		if got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                           "0 s",
		-time.Second:                "0 s",
		1400 * time.Millisecond:     "1 s",
		time.Minute:                 "1 min",
		4*time.Minute + 59500000000: "5 min",
		90 * time.Second:            "1 min 30 s",
		2*time.Hour + 5*time.Second: "2 h",
		26 * time.Hour:              "1 d 2 h",
	} {
		if got := English.Span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	if got, want := Russian.Span(90*time.Second), "1 мин 30 с"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 31, 15, 0, 0, 0, time.Local)
	for _, tt := range []struct {
		at     time.Time
		en, ru string
	}{
		{now.Add(-2*time.Hour - 56*time.Minute), "12:04", "12:04"},
		{now.AddDate(0, 0, -1), "30 March 15:00", "30 марта 15:00"},
		{now.AddDate(-1, 0, 0), "31 March 2025 15:00", "31 марта 2025 15:00"},
	} {
		if got := English.Moment(tt.at.UTC(), now); got != tt.en {
			t.Errorf("got %q, want %q", got, tt.en)
		}
		if got := Russian.Moment(tt.at.UTC(), now); got != tt.ru {
			t.Errorf("got %q, want %q", got, tt.ru)
		}
	}
}

func TestError(t *testing.T) {
	noon := time.Date(2026, 3, 31, 12, 4, 0, 0, time.Local)
	task := editlock.ID{Mode: "task", ID: "42"}
	ivanov := editlock.Mutex{ID: task, Owner: editlock.Owner{Session: "s1", Name: "Иванов"}, CapturedAt: noon, AsOf: noon.Add(time.Hour)}
	petrov := editlock.Owner{Session: "s2", Login: "petrov"}
	now := editlock.Mutex{ID: task, Owner: petrov, AsOf: noon}
	reader, limited := ivanov, ivanov
	reader.Sharing, limited.Limit = editlock.Shared, 3
	for _, tt := range []struct {
		name   string
		err    error
		en, ru string
	}{
		{
			"busy", &editlock.BusyError{Holder: ivanov},
			"busy: Иванов has been editing task/42 since 12:04",
			"занято: Иванов редактирует task/42 с 12:04",
		},
		{
			"busy by readers", &editlock.BusyError{Holder: reader, Total: 3},
			"busy: Иванов has been reading task/42 since 12:04; so have 2 more",
			"занято: Иванов читает task/42 с 12:04; и ещё 2",
		},
		{
			"held with a limit", &editlock.ConflictError{Holder: limited},
			"Иванов holds task/42 with a limit of 3 holders: ask for the same",
			"Иванов держит task/42 с ограничением числа владельцев 3: укажите такое же",
		},
		{
			"busy by yourself", &editlock.BusyError{Holder: ivanov, Self: true},
			"busy: Иванов, that is you in another tab or session, has been editing task/42 since 12:04",
			"занято: Иванов, то есть вы сами из другой вкладки или другого сеанса, редактирует task/42 с 12:04",
		},
		{
			"several busy", fmt.Errorf("wrapped: %w", &editlock.BusyError{Holder: ivanov, Holders: []editlock.Mutex{ivanov, now, now}}),
			"busy: Иванов has been editing task/42 since 12:04; 2 more are busy",
			"занято: Иванов редактирует task/42 с 12:04; заняты ещё 2",
		},
		{
			"declined", &editlock.BusyError{Holder: ivanov, Declined: &editlock.Refusal{By: ivanov.Owner, At: noon, Message: "позже\x1b[31m"}},
			"busy: Иванов has been editing task/42 since 12:04; Иванов declined: позже [31m",
			"занято: Иванов редактирует task/42 с 12:04; Иванов отвечает отказом: позже [31m",
		},
		{
			"lost to a takeover",
			&editlock.LostError{ID: task, Holder: &now, How: editlock.KindTakenOver, By: petrov, At: noon, Reason: "в отпуске"},
			"the lock on task/42 is lost: petrov took it over at 12:04 (в отпуске)",
			"блокировка task/42 потеряна: перехват, petrov в 12:04 (в отпуске)",
		},
		{
			"lost by expiry, another has it",
			&editlock.LostError{ID: task, Holder: &now, How: editlock.KindExpired, By: ivanov.Owner, At: noon},
			"the lock on task/42 is lost: it was not refreshed in time and expired at 12:04; petrov has it now",
			"блокировка task/42 потеряна: вовремя не продлена и истекла в 12:04; теперь редактирует petrov",
		},
		{
			"lost by expiry, others read it",
			&editlock.LostError{ID: task, Holder: asReader(now), How: editlock.KindExpired, By: ivanov.Owner, At: noon},
			"the lock on task/42 is lost: it was not refreshed in time and expired at 12:04; petrov is reading it now",
			"блокировка task/42 потеряна: вовремя не продлена и истекла в 12:04; теперь читает petrov",
		},
		{
			"lost by force, and free",
			&editlock.LostError{ID: task, How: editlock.KindForceReleased, By: petrov, At: noon, Reason: "x"},
			"the lock on task/42 is lost: petrov released it by force at 12:04 (x); nobody holds it now",
			"блокировка task/42 потеряна: снята принудительно, petrov в 12:04 (x); сейчас свободно",
		},
		{
			"not held", &editlock.NotHeldError{ID: task}, "nobody holds task/42", "блокировку task/42 никто не держит",
		},
		{
			"not held, of a name from right to left", &editlock.NotHeldError{ID: editlock.ID{ID: "דוח"}},
			"nobody holds \u2068דוח\u2069", "блокировку \u2068דוח\u2069 никто не держит",
		},
		{
			"lost, and nothing known", &editlock.LostError{ID: task},
			"the lock on task/42 is lost; nobody holds it now",
			"блокировка task/42 потеряна; сейчас свободно",
		},
		{
			"lost because the store was silent",
			&editlock.LostError{ID: task, How: editlock.KindExpired, At: noon, Reason: "the store did not confirm a refresh in time", Code: "not_confirmed"},
			"the lock on task/42 is lost: it was not refreshed in time and expired at 12:04 (the store did not confirm a refresh in time); nobody holds it now",
			"блокировка task/42 потеряна: вовремя не продлена и истекла в 12:04 (хранилище вовремя не подтвердило обновление); сейчас свободно",
		},
		{
			"invalid", editlock.ID{ID: strings.Repeat("x", 501)}.Validate(),
			"mutex.id is 501 bytes long; at most 500 are allowed",
			"mutex.id длиной 501 байт; допустимо не больше 500",
		},
		{
			"unavailable", fmt.Errorf("%w: %w", editlock.ErrUnavailable, errors.New("disk on fire")),
			"the lock store is unavailable: disk on fire",
			"хранилище блокировок недоступно: disk on fire",
		},
		{
			"nothing listens", fmt.Errorf("%w: %w", editlock.ErrUnavailable, syscall.ECONNREFUSED),
			"nothing answers at the address; is the server running there, “editlock serve” or the database? (connection refused)",
			"по этому адресу никто не отвечает; запущен ли там сервер, «editlock serve» или база данных? (connection refused)",
		},
		{
			"forbidden", fmt.Errorf("%w: not your department", editlock.ErrForbidden),
			"not allowed: not your department",
			"запрещено: not your department",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := [2]string{English.Error(tt.err), Russian.Error(tt.err)}
			if diff := cmp.Diff([2]string{tt.en, tt.ru}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestName_IsShortAndReadsBack(t *testing.T) {
	for _, id := range []editlock.ID{
		{ID: "1"},
		{Mode: "task", ID: "1"},
		{Group: "g", ID: "1"},
		{Group: "g", Mode: "m", ID: "1"},
		{ID: "/a%b "},
		{Mode: "/", ID: "1"},
	} {
		got, err := editlock.ParseID(Name(id))
		if err != nil || got != id {
			t.Errorf("%#v: %q reads back as %#v, %v", id, Name(id), got, err)
		}
	}
	if got, want := Name(editlock.ID{Mode: "task", ID: "1"}), "task/1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// People read one word, «блокировка», and not the programmer's «семафор».
func TestRussian_HasOneWordForALock(t *testing.T) {
	texts := map[string]string{}
	for key, text := range catalogue {
		texts[key] = text.ru
	}
	for key, forms := range counted {
		for form, text := range forms.ru {
			texts[fmt.Sprint(key, form)] = text
		}
	}
	maps.Copy(texts, problems)
	for key, text := range texts {
		if strings.Contains(strings.ToLower(text), "семафор") {
			t.Errorf("%s: %s", key, text)
		}
	}
}
