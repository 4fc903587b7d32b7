package webui

import (
	"strings"
	"testing"
	"time"

	"github.com/editlock/editlock"
)

func TestWritten_IsWhatPeopleReadAndNoCode(t *testing.T) {
	for status, shown := range map[string]bool{
		"": true, "page 3": true, "draft": true, "черновик": true, "42%": true, "step-3": true, "report2026": true,
		"https://ci.example.org/job/17": true, "v2.3.1-final-draft": true, "tab 0k3v1x2y0z1a2b3c4d": true,
		"0k3v1x2y0z1a2b3c4d/0q1w2e3r4t5y6u7i8o": false, // of the browser's client
		"3f2504e0-4f89-41d3-9a0c-0305e82c3301":  false, // a UUID
		"b7e23ec29af22b0b4e41da31e868d572":      false,
		"1767225600123":                         false,
	} {
		want := ""
		if shown {
			want = status
		}
		if got := written(status); got != want {
			t.Errorf("written(%q) = %q, want %q", status, got, want)
		}
	}
}

func TestPages_ShowNoCodesAsStatus(t *testing.T) {
	const code = "0k3v1x2y0z1a2b3c4d/0q1w2e3r4t5y6u7i8o"
	m := held(editlock.ID{Mode: "contract", ID: "1"}, person("Ivanov"), time.Minute, time.Minute)
	m.StatusData = code
	v := visit(t, &fixed{mutexes: []editlock.Mutex{m}}, "Petrova")
	for _, address := range []string{"/", "/ui/lock?id=contract/1", "/ui/person?who=u:ivanov"} {
		if body := v.get(address); strings.Contains(body, code) || strings.Contains(body, ">Status<") {
			t.Errorf("%s shows the code of a page's hold", address)
		}
	}
}
