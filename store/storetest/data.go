package storetest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/editlock/editlock/store"
)

var dataLaws = []law{
	{"any name is kept as it is", lawNames, 0},
	{"names that look alike are different names", lawAlike, 0},
	{"any text is kept as it is, everywhere", lawTexts, 0},
	{"64 KiB of data are kept", lawLargeData, 0},
	{"empty texts are texts", lawEmpty, 0},
	{"what looks like a query is only text", lawInjection, 0},
}

// odd are texts that databases, scripts and encodings have stumbled over.
var odd = []string{
	"'", "''", `"`, "`", `\`, `\'`, "%", "_", "*", "?", "[", "]", "{}", "$1", ":name", "@p", "#", "--", "/*", ";", "\t", "\n", "\r\n",
	" leading", "trailing ", "null", "NULL", "nil", "0", "-1", "1e3", "0x10", "true", "'; DROP TABLE editlock_record; --",
	"Ж", "日本語", "🔒", "👨\u200d👩\u200d👧", "e\u0301", "\u202eabc", "\ufeff", "\uffff", "\U0010ffff", "\u007f", "\u0080", "%00", `\x00`, `\u0000`,
}

// long is 3,000 bytes of all kinds of letters.
var long = strings.Repeat("aб日🔒'%\"\\ ", 3000/len("aб日🔒'%\"\\ "))

func lawNames(t *test) {
	for i, name := range append([]string{long, long + "x", "x" + long}, odd...) {
		session := fmt.Sprint("s", i)
		t.do(acquire(name, session, t.idle(600)))
		rec := t.get(name)
		if rec == nil || rec.Name != name || rec.Holder.Session != session {
			t.Fatalf("under %q stands %+v", name, rec)
		}
		t.wantSame("names of the session", []string{name}, t.names(store.RecordQuery{Session: session}))
		t.wantSame("names with the prefix", name, t.names(store.RecordQuery{Prefix: name})[0])
		if entries := t.log(store.LogQuery{Name: name}).Entries; len(entries) != 1 || entries[0].Name != name {
			t.Fatalf("the log of %q is %+v", name, entries)
		}
		t.do(release(name, session))
		t.wantHolder(t.get(name), "")
	}
}

func lawAlike(t *test) {
	names := []string{
		"a", "A", "a ", " a", "à", "a\u0300", "а" /* Cyrillic */, "ａ", "a\u200b", "ß", "ss", "SS", "ı", "i", "İ", "I",
		long, long[:len(long)-1], long + " ",
	}
	for i, name := range names {
		t.do(acquire(name, fmt.Sprint("s", i), t.idle(600)))
	}
	for i, name := range names {
		t.wantHolder(t.get(name), fmt.Sprint("s", i))
	}
	if n := len(t.list(store.RecordQuery{})); n != len(names) {
		t.Fatalf("%d names are listed of %d", n, len(names))
	}
	for i, name := range names {
		t.do(release(name, fmt.Sprint("s", i)))
	}
}

func lawTexts(t *test) {
	t.keepAlive("peer", 1000)
	for i, text := range append([]string{long}, odd...) {
		name := fmt.Sprint("n", i)
		who := store.Party{Session: "s" + text, User: "u" + text, Value: "v" + text}
		said := &store.Event{Kind: "k" + text, Actor: who, Reason: "r" + text}
		t.commit("q"+text, store.Op{
			Name: name, Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &who, Data: ptr("d" + text), Terms: ptr(t.idle(600)), Event: said,
		})
		waiter := &store.Waiter{
			ID: "t" + text, Process: "peer", Holder: who, Data: "d" + text, Terms: t.idle(600), Event: said, Value: "m" + text,
		}
		t.do(store.Op{Name: name, Do: store.Join, Waiter: waiter})
		rec := t.get(name)
		if rec.Holder != who || rec.Data != "d"+text || rec.Request != "q"+text {
			t.Errorf("the record with %q is %+v", text, rec)
		}
		w := rec.Waiters[0]
		if w.ID != "t"+text || w.Holder != who || w.Data != "d"+text || w.Value != "m"+text || *w.Event != *said {
			t.Errorf("the ticket with %q is %+v", text, w)
		}
		t.replay("q"+text, acquire(name, "ann", t.idle(60)))
		t.refuse(store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Session: ptr("S" + text)}})
		t.refuse(store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Data: ptr("d" + text + " ")}})
		x := store.Expect{Session: ptr("s" + text), Data: ptr("d" + text)}
		rec = t.do(store.Op{Name: name, Do: store.Release, Expect: x})
		if rec.Holder != who || rec.Data != "d"+text || rec.Request != "t"+text {
			t.Errorf("the grant with %q is %+v", text, rec)
		}
		for _, q := range []store.LogQuery{{Request: "q" + text}, {Request: "t" + text}} {
			q.User, q.Kinds = "u"+text, []string{"k" + text}
			entries := t.log(q).Entries
			if len(entries) != 1 || entries[0].Owner != who || entries[0].Actor != who || entries[0].Reason != "r"+text {
				t.Errorf("the log for %+v is %+v", q, entries)
			}
		}
	}
}

func lawLargeData(t *test) {
	const size = 64 << 10
	for i, letter := range []string{"x", "🔒", "'", "\\", "Ж", "\""} {
		data := strings.Repeat(letter, size/len(letter))
		if !utf8.ValidString(data) || len(data) != size {
			t.Fatalf("%d bytes of %q", len(data), letter)
		}
		name := fmt.Sprint("n", i)
		sw := acquire(name, "ann", t.idle(600))
		sw.Data = &data
		rec := t.do(sw)
		if rec.Data != data || t.get(name).Data != data || t.list(store.RecordQuery{Prefix: name})[0].Data != data {
			t.Fatalf("64 KiB of %q are not kept", letter)
		}
		other := data[:len(data)-len(letter)] + strings.Repeat("y", len(letter))
		t.refuse(store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Data: &other}})
		t.do(store.Op{Name: name, Do: store.Renew, Expect: store.Expect{Data: &data}, Data: &other})
		if t.get(name).Data != other {
			t.Fatalf("64 KiB of %q are not replaced", letter)
		}
	}
}

func lawEmpty(t *test) {
	t.do(store.Op{
		Name: "a", Do: store.Acquire, Expect: store.Expect{Free: true}, Holder: &store.Party{}, Terms: ptr(t.idle(600)), Event: &store.Event{Kind: captured},
	})
	rec := t.get("a")
	if rec == nil || rec.Holder != (store.Party{}) || rec.Data != "" || rec.Request != "" {
		t.Fatalf("the record is %+v", rec)
	}
	t.refuse(store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Data: ptr("x")}})
	t.refuse(store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Session: ptr("x")}})
	t.do(store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Data: ptr(""), Session: ptr("")}, Data: ptr("x")})
	t.do(store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Data: ptr("x")}, Data: ptr("")})
	t.refuse(store.Op{Name: "a", Do: store.Renew, Expect: store.Expect{Data: ptr("x")}})
	t.wantSame("names of the empty session, which selects all", []string{"a"}, t.names(store.RecordQuery{}))
	if entries := t.log(store.LogQuery{}).Entries; len(entries) != 1 || entries[0].Owner != (store.Party{}) || entries[0].Request != "" {
		t.Errorf("the log is %+v", entries)
	}
	t.do(store.Op{Name: "a", Do: store.Release, Expect: store.Expect{Session: ptr("")}})
}

func lawInjection(t *test) {
	t.do(acquire("kept", "ann", t.idle(600)))
	for _, text := range []string{
		"' OR '1'='1", `" OR ""="`, "%' OR 1=1 --", "a' UNION SELECT * FROM editlock_record --", "$(reboot)", "${x}", "{{.}}", "\\' OR 1=1",
	} {
		if recs := t.list(store.RecordQuery{Session: text}); len(recs) > 0 {
			t.Errorf("session %q selects %+v", text, recs)
		}
		if recs := t.list(store.RecordQuery{User: text}); len(recs) > 0 {
			t.Errorf("user %q selects %+v", text, recs)
		}
		if recs := t.list(store.RecordQuery{Prefix: text}); len(recs) > 0 {
			t.Errorf("prefix %q selects %+v", text, recs)
		}
		for _, q := range []store.LogQuery{{Name: text}, {Prefix: text}, {User: text}, {Request: text}, {Kinds: []string{text}}} {
			if entries := t.log(q).Entries; len(entries) > 0 {
				t.Errorf("%+v selects %+v", q, entries)
			}
		}
		t.refuse(store.Op{Name: "kept", Do: store.Release, Expect: store.Expect{Session: &text}})
		t.refuse(store.Op{Name: "kept", Do: store.Release, Expect: store.Expect{Data: &text}})
		t.wantHolder(t.get(text), "")
	}
	t.wantHolder(t.get("kept"), "ann")
}
