package redis

import (
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/editlock/editlock/store"
)

// FuzzUnpack is of what stands in the database: whatever it is, reading ends,
// and what is cut short is told.
func FuzzUnpack(f *testing.F) {
	var p packer
	p.number(7)
	p.text("text")
	f.Add([]byte(p))
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add(make([]byte, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, read := range map[string]func(u *unpacker){
			"record": func(u *unpacker) { u.record("x") },
			"ticket": func(u *unpacker) { u.ticket("x", "1") },
			"entry":  func(u *unpacker) { u.entry(1) },
		} {
			u := &unpacker{rest: string(data)}
			if read(u); u.err == nil && len(data) < 8 {
				t.Fatalf("%d bytes are taken for a %s", len(data), name)
			}
		}
		if _, err := newsOf(string(data)); err == nil && len(data) == 0 {
			t.Fatal("nothing is taken for news")
		}
	})
}

// FuzzPack packs records, tickets and entries as the scripts do, and reads
// them again. Cut short anywhere, they are refused.
func FuzzPack(f *testing.F) {
	f.Add("a", "s", "data", uint64(7), int64(time.Minute), int64(1), uint16(3), true)
	f.Add("", "", "\x00\xff", uint64(0), int64(0), int64(-1), uint16(0), false)
	f.Fuzz(func(t *testing.T, name, who, data string, number uint64, lasts, at int64, cut uint16, noted bool) {
		if number > maxNumber || at < -1<<52 || at > 1<<52 || at == 0 || lasts < 0 || lasts > int64(100*365*24*time.Hour) {
			return // what scripts count, times they know, terms that are allowed
		}
		party := store.Party{Session: who, User: data, Value: name}
		terms := store.Terms{Idle: time.Duration(lasts), MaxHold: time.Duration(lasts / 3)}
		idle, idleNanos := span(terms.Idle)
		hold, holdNanos := span(terms.MaxHold)
		rec := store.Record{
			Name: name, Token: number, Holder: party, Data: data, Terms: terms,
			Taken: fromMicros(at), Touched: fromMicros(at), Expires: fromMicros(at), Request: who,
		}
		var p packer
		p.number(float64(number))
		for range 3 {
			p.number(float64(at))
		}
		p.number(idle)
		p.number(hold)
		p.number(0)
		p.short(idleNanos)
		p.short(holdNanos)
		p.byte(1)
		p.party(party)
		p.text(who)
		p.text(data)
		same(t, []byte(p), cut, &rec, func(u *unpacker) *store.Record { return u.record(name) })

		ticket := store.Ticket{
			ID: who, Name: name, Seq: number, Peer: data, Holder: party, Data: data, Terms: terms, Value: name,
			Since: fromMicros(at), Claim: fromMicros(at), Asked: number, Confirm: terms.Idle, ClaimAfter: terms.MaxHold,
		}
		p = nil
		p.number(float64(number))
		p.number(float64(at))
		p.number(float64(at))
		p.number(float64(number))
		p.number(1)
		p.text(data)
		p.terms(terms)
		p.optional(terms.Idle)
		p.optional(terms.MaxHold)
		p.party(party)
		p.text(data)
		var note packer
		if noted {
			ticket.Note = &store.Note{Kind: data, Actor: party, Reason: who}
			note.note(ticket.Note, name, who)
		}
		p.text(string(note))
		p.text(name)
		same(t, []byte(p), cut, ticket, func(u *unpacker) store.Ticket { return u.ticket(name, who) })

		entry := store.Entry{Seq: 5, Token: number, At: fromMicros(at), Owner: party, Other: party, Kind: data, Actor: party, Reason: who, Name: name, Request: data}
		p = nil
		p.number(float64(number))
		p.number(float64(at))
		p.party(party)
		p.party(party)
		p.note(&store.Note{Kind: data, Actor: party, Reason: who}, name, data)
		same(t, []byte(p), cut, entry, func(u *unpacker) store.Entry { return u.entry(5) })
	})
}

func same[T any](t *testing.T, packed []byte, cut uint16, want T, read func(u *unpacker) T) {
	t.Helper()
	u := unpacker{rest: string(packed)}
	if got := read(&u); u.err != nil || u.rest != "" || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v is read as %+v, %v; %q is left", want, got, u.err, u.rest)
	}
	u = unpacker{rest: string(packed[:int(cut)%len(packed)])}
	if read(&u); u.err == nil {
		t.Fatalf("%d of %d bytes are taken for %T", int(cut)%len(packed), len(packed), want)
	}
}

// FuzzBounds is of the bounds that select names by how they begin, and come
// after one.
func FuzzBounds(f *testing.F) {
	for _, seed := range []string{"", "a", "a\xff", "\xff\xff", "я"} {
		f.Add(seed, "", "a")
		f.Add(seed, seed+"a", seed+"b")
	}
	f.Fuzz(func(t *testing.T, prefix, after, name string) {
		from, to := bounds(prefix, after)
		selected := to == "+" || name < to[1:]
		switch from[0] {
		case '[':
			selected = selected && name >= from[1:]
		case '(':
			selected = selected && name > from[1:]
		}
		if to != "+" && to[0] != '(' {
			t.Fatalf("up to %q", to)
		}
		if want := strings.HasPrefix(name, prefix) && (name > after || after == ""); selected != want {
			t.Fatalf("%q with the prefix %q after %q: %v, from %q to %q", name, prefix, after, selected, from, to)
		}
	})
}

// FuzzAnswers is of what scripts answer: arrays of texts and numbers.
func FuzzAnswers(f *testing.F) {
	f.Add("record", int64(1), "t", "body", uint8(4))
	f.Add("", int64(-1), "5-0", "", uint8(2))
	f.Fuzz(func(t *testing.T, first string, number int64, id, body string, parts uint8) {
		all := [][]byte{blob(first), whole(number), blob(id), blob(body)}
		kept := all[:1+int(parts)%len(all)]
		if rec, err := recordOf("x", array(t, kept)); err == nil && (rec == nil || rec.Name != "x") {
			t.Fatalf("a record that is %+v", rec)
		}
		if e, err := entryOf(array(t, [][]byte{blob(id), blob(body)})); err == nil && !strings.HasPrefix(strings.TrimLeft(id, "0"), strings.TrimLeft(strconv.FormatUint(e.Seq, 10), "0")) {
			t.Fatalf("the entry %q has the number %d", id, e.Seq)
		}
		if _, err := entryOf(array(t, kept)); err == nil && len(kept) != 2 {
			t.Fatalf("%d parts are taken for an entry", len(kept))
		}
	})
}

// array is an answer as the client library keeps it.
func array(t *testing.T, parts [][]byte) (m rueidis.RedisMessage) {
	t.Helper()
	data := append(make([]byte, 7), '*')
	data = binary.BigEndian.AppendUint64(data, uint64(len(parts)))
	for _, part := range parts {
		data = append(data, part...)
	}
	if err := m.CacheUnmarshalView(data); err != nil {
		t.Fatal(err)
	}
	return m
}

func blob(text string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{'$'}, uint64(len(text))), text...)
}

func whole(n int64) []byte { return binary.BigEndian.AppendUint64([]byte{':'}, uint64(n)) }
