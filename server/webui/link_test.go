package webui

import (
	"net/http"
	"strings"
	"testing"

	"github.com/editlock/editlock"
)

func TestLink_LeadsToTheRecordOfALock(t *testing.T) {
	id := editlock.ID{Group: "crm", Mode: "contract", ID: "2417"}
	for _, test := range []struct {
		url  string
		id   editlock.ID
		want string
	}{
		{"https://app.example/{group}/{mode}s/{id}", id, "https://app.example/crm/contracts/2417"},
		{"http://app/x?id={id}&kind={mode}#{id}", id, "http://app/x?id=2417&kind=contract#2417"},
		{"/demo/documents/{mode}-{id}", id, "/demo/documents/contract-2417"},
		{"https://app/{id}", editlock.ID{ID: `a/b?c#d&e=f+g h%2Fi"'<>:@;\`}, "https://app/a%2Fb%3Fc%23d%26e%3Df%2Bg%20h%252Fi%22%27%3C%3E%3A%40%3B%5C"},
		{"https://app/{id}", editlock.ID{ID: "договор №7"}, "https://app/%D0%B4%D0%BE%D0%B3%D0%BE%D0%B2%D0%BE%D1%80%20%E2%84%967"},
		{"https://app/{id}", editlock.ID{ID: "{mode}"}, "https://app/%7Bmode%7D"},
		{"https://app/{id}", editlock.ID{ID: "//evil.example"}, "https://app/%2F%2Fevil.example"},
		{"https://app/{id}", editlock.ID{ID: "../admin"}, "https://app/..%2Fadmin"},
		{"https://app/{id}", editlock.ID{ID: ".."}, ""},
		{"https://app/{id}/edit", editlock.ID{ID: "."}, ""},
		{"https://app/x{id}", editlock.ID{ID: ".."}, "https://app/x.."},
		{"https://app/?id={id}", editlock.ID{ID: ".."}, "https://app/?id=.."},
		{"https://app/{id}#{part}", editlock.ID{ID: "7", Part: "a&b"}, "https://app/7#a%26b"},
		{"https://app/{id}#{part}", editlock.ID{ID: "7"}, "https://app/7#"},
	} {
		l := Link{URL: test.url}
		if err := l.Validate(); err != nil {
			t.Errorf("%s: %v", test.url, err)
		}
		if got := l.of(test.id); got != test.want {
			t.Errorf("%s leads %q to %q, want %q", test.url, test.id.ID, got, test.want)
		}
	}
}

func TestLink_IsRefusedWithItsReason(t *testing.T) {
	for url, want := range map[string]string{
		"":                             "must begin with http:// or https://",
		"app.example/{id}":             "must begin with http:// or https://",
		"javascript:alert('{id}')":     "must begin with http:// or https://",
		"data:text/html,{id}":          "must begin with http:// or https://",
		"ftp://app/{id}":               "must begin with http:// or https://",
		"//app.example/{id}":           "must begin with http:// or https://",
		"https:///{id}":                "must begin with http:// or https://",
		"https://user@app/{id}":        "without a user",
		"https://{id}/":                "behind the host",
		"https://{group}.example/{id}": "behind the host",
		"https://app{id}":              "behind the host",
		"HTTPS://app{id}/":             "behind the host",
		"https://app:80{id}/":          "not an address",
		"https://app?x={id}":           "behind the host",
		`https://app\{id}`:             "not an address",
		"https://app/contracts":        "must contain {id}",
		"https://app/{id}/{name}":      `"{name}" is not known`,
		"https://app/{id":              `"{id" is not known`,
		"https://app/id}":              `"}" is not known`,
		"https://app/{{id}}":           "is not known",
		"https://app/%zz{id}":          "not an address",
	} {
		if err := (Link{URL: url}).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestPages_LeadToTheRecordByTheFirstLinkThatFits(t *testing.T) {
	v := visit(t, office(), "Petrova")
	v.manager = New(office(), &Options{Links: []Link{
		{Group: "crm", Mode: "con*", URL: "https://crm.example/contracts/{id}"},
		{Group: "crm", Mode: "*", URL: "https://crm.example/{mode}?id={id}"},
	}})
	for _, test := range []struct {
		address string
		want    []string
	}{
		{"/", []string{"https://crm.example/contracts/2417", "https://crm.example/invoice?id=1093"}},
		{"/ui/lock?id=crm/contract/2417", []string{"https://crm.example/contracts/2417"}},
		{"/ui/lock?id=crm/invoice/1", []string{"https://crm.example/invoice?id=1"}},
		{"/ui/lock?id=//nightly%2520import", nil},
		{"/ui/lock?id=hr/contract/1", nil},
	} {
		res, body := v.do(test.address)
		if res.StatusCode != http.StatusOK || strings.Count(body, `href="https://`) != len(test.want) {
			t.Errorf("%s: %s, with %d links elsewhere", test.address, res.Status, strings.Count(body, `href="https://`))
		}
		for _, to := range test.want {
			if !strings.Contains(body, `href="`+to+`" target="_blank" rel="noopener"`) {
				t.Errorf("%s does not lead to %s", test.address, to)
			}
		}
	}
}

func TestLinks_LeadNowhereFromAllOfAType(t *testing.T) {
	all := links{{Group: "*", Mode: "*", URL: "https://app/{mode}/{id}"}}
	if got := all.Of(editlock.ID{Group: "crm", Mode: "contract", Below: true}); got != "" {
		t.Errorf("all of a type leads to %q", got)
	}
}
