package words

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/editlock/editlock"
)

func TestName_OfAllAndOfPartsReadsBack(t *testing.T) {
	for id, want := range map[editlock.ID]string{
		{Below: true}:                                           "/",
		{Group: "crm", Below: true}:                             "crm/",
		{Mode: "task", Below: true}:                             "/task/",
		{Group: "crm", Mode: "contract", Below: true}:           "crm/contract/",
		{ID: "7", Part: "адрес"}:                                "7#адрес",
		{Group: "crm", Mode: "contract", ID: "#7", Part: "a/b"}: "crm/contract/%237#a%2Fb",
	} {
		parse := editlock.ParseID
		if id.Below {
			parse = editlock.ParseBelow
		}
		got, err := parse(Name(id))
		if err != nil || got != id || Name(id) != want {
			t.Errorf("%#v: %q reads back as %#v, %v, want %q", id, Name(id), got, err, want)
		}
	}
}

func TestObject(t *testing.T) {
	for _, tt := range []struct {
		id     editlock.ID
		en, ru string
	}{
		{editlock.ID{Mode: "task", ID: "42"}, "task/42", "task/42"},
		{
			editlock.ID{Group: "crm", Mode: "contract", ID: "7", Part: "адрес"},
			"адрес of crm/contract/7", "часть адрес в crm/contract/7",
		},
		{editlock.ID{Group: "crm", Mode: "contract", Below: true}, "all of crm/contract", "всё в crm/contract"},
		{editlock.ID{Group: "crm", Below: true}, "all of crm", "всё в crm"},
		{editlock.ID{Mode: "task", Below: true}, "all of /task", "всё в /task"},
		{editlock.ID{Below: true}, "everything without a group", "всё без группы"},
		{editlock.ID{ID: "1", Part: "כתובת"}, "\u2068כתובת\u2069 of 1", "часть \u2068כתובת\u2069 в 1"},
	} {
		got := [2]string{English.Object(tt.id), Russian.Object(tt.id)}
		if diff := cmp.Diff([2]string{tt.en, tt.ru}, got); diff != "" {
			t.Errorf("%#v: -want +got:\n%s", tt.id, diff)
		}
	}
}

func TestError_OfWhatIsAboveAndBelow(t *testing.T) {
	noon := time.Date(2026, 3, 31, 12, 4, 0, 0, time.Local)
	held := func(id editlock.ID, name string) editlock.Mutex {
		return editlock.Mutex{
			ID: id, Owner: editlock.Owner{Session: name, Name: name}, CapturedAt: noon, AsOf: noon.Add(time.Hour),
		}
	}
	contract := func(id string) editlock.ID { return editlock.ID{Group: "crm", Mode: "contract", ID: id} }
	address := contract("7")
	address.Part = "адрес"
	all := editlock.ID{Group: "crm", Mode: "contract", Below: true}
	closed, part := held(all, "Иванов"), held(address, "Иванов")
	read := closed
	read.Sharing = editlock.Shared
	smith := editlock.Owner{Session: "s", Name: "Смит"}
	below := []editlock.Mutex{
		part, held(contract("8"), "Петрова"), held(contract("9"), "Смит"), held(contract("10"), "Li"), held(contract("11"), "Ng"),
	}
	for _, tt := range []struct {
		name   string
		err    error
		en, ru string
	}{
		{
			"all is closed", &editlock.BusyError{Holder: closed},
			"busy: Иванов has kept all of crm/contract closed since 12:04",
			"занято: Иванов держит всё в crm/contract закрытым с 12:04",
		},
		{
			"all is closed by yourself", &editlock.BusyError{Holder: closed, Self: true},
			"busy: Иванов, that is you in another tab or session, has kept all of crm/contract closed since 12:04",
			"занято: Иванов, то есть вы сами из другой вкладки или другого сеанса, держит всё в crm/contract закрытым с 12:04",
		},
		{
			"all is read", &editlock.BusyError{Holder: read},
			"busy: Иванов has been reading all of crm/contract since 12:04",
			"занято: Иванов читает всё в crm/contract с 12:04",
		},
		{
			"a part is held", &editlock.BusyError{Holder: part},
			"busy: Иванов has been editing адрес of crm/contract/7 since 12:04",
			"занято: Иванов редактирует часть адрес в crm/contract/7 с 12:04",
		},
		{
			"some are held below", &editlock.BusyError{Holder: part, Holders: below[:2], Total: 2},
			"busy: Иванов has been editing адрес of crm/contract/7 since 12:04; also busy: crm/contract/8 (Петрова)",
			"занято: Иванов редактирует часть адрес в crm/contract/7 с 12:04; также занято: crm/contract/8 (Петрова)",
		},
		{
			"many are held below", &editlock.BusyError{Holder: part, Holders: below, Total: 25},
			"busy: Иванов has been editing адрес of crm/contract/7 since 12:04; " +
				"also busy: crm/contract/8 (Петрова), crm/contract/9 (Смит), crm/contract/10 (Li) and 21 more",
			"занято: Иванов редактирует часть адрес в crm/contract/7 с 12:04; " +
				"также занято: crm/contract/8 (Петрова), crm/contract/9 (Смит), crm/contract/10 (Li) и ещё 21",
		},
		{
			"somebody waits for all", &editlock.BusyError{
				Holder: below[1], Draining: &editlock.Draining{ID: all, By: smith, Since: noon.Add(6 * time.Minute), Message: "импорт"},
			},
			"busy: Петрова has been editing crm/contract/8 since 12:04; " +
				"Смит has been waiting for all of crm/contract since 12:10, so nothing else in it can be locked: импорт",
			"занято: Петрова редактирует crm/contract/8 с 12:04; " +
				"Смит с 12:10 ждёт, пока освободится всё в crm/contract; до тех пор ничего другого там не занять: импорт",
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
