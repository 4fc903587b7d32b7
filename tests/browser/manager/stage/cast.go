package main

import (
	"time"

	"github.com/editlock/editlock"
)

// cast is who plays, and what is on the table.
type cast struct {
	people map[string]string // names by login
	words  [4]string         // what is asked, why it is taken over, status, page
}

var english = cast{
	people: map[string]string{
		"ivanov": "Pavel Ivanov", "petrova": "Anna Petrova", "sidorova": "Maria Sidorova", "kim": "Oleg Kim", "chen": "Li Chen",
		"import": "Nightly import", "assistant": "Assistant",
	},
	words: [4]string{"I only need to correct the due date. May I?", "The customer is on the phone", "4,120 of 9,800 rows", "Onboarding checklist"},
}

var russian = cast{
	people: map[string]string{
		"ivanov": "Павел Иванов", "petrova": "Анна Петрова", "sidorova": "Мария Сидорова", "kim": "Олег Ким", "chen": "Ли Чэнь",
		"import": "Ночная загрузка", "assistant": "Помощник",
	},
	words: [4]string{"Мне только исправить срок. Можно?", "Клиент на линии", "4120 из 9800 строк", "Памятка новичку"},
}

func (c cast) owner(login string) editlock.Owner {
	hosts := map[string]string{"ivanov": "ws-204", "petrova": "ws-117", "sidorova": "ws-220", "kim": "notebook-kim", "chen": "ws-118", "import": "batch-1"}
	o := editlock.Owner{Session: "s-" + login, UserID: login, Login: login, Name: c.people[login], Host: hosts[login]}
	switch login {
	case "import":
		o.Kind = editlock.Job
	case "assistant":
		o.Kind, o.OnBehalfOf = editlock.Agent, c.people["kim"]
	}
	return o
}

// acts is the day so far, oldest first. The clock leaps from one to the next,
// so who is still to hold or to wait at its end must not be heard of in between.
func (c cast) acts() []act {
	const h, m = time.Hour, time.Minute
	long := func(max time.Duration) editlock.CaptureOptions {
		return editlock.CaptureOptions{AutoRelease: editlock.AutoRelease{Idle: 30 * 24 * h, MaxHold: max}}
	}
	never := editlock.CaptureOptions{AutoRelease: editlock.Never, StatusData: c.words[2]}
	ask := editlock.CaptureOptions{Wait: h, Message: c.words[0]}
	return []act{
		{ago: 26*h + 10*m, who: "chen", id: "wiki/page/" + escaped(c.words[3]), opts: long(48 * h)},
		{ago: 7*h + 21*m, who: "import", id: "jobs//price-list", opts: never},
		{ago: 5*h + 2*m, who: "sidorova", id: "crm/contract/2431", opts: long(8 * h)},
		{ago: 3*h + 40*m, who: "kim", id: "crm/contract/2440"},
		{ago: 3*h + 38*m, who: "kim", id: "crm/contract/2440", do: "release"},
		{ago: 2*h + 11*m, who: "ivanov", id: "crm/contract/2417", opts: long(8 * h)},
		{ago: 1*h + 52*m, who: "petrova", id: "crm/invoice/1093", opts: long(4 * h)},
		{ago: 1*h + 5*m, who: "ivanov", id: "crm/invoice/1101", opts: long(2 * h)},
		{ago: 48 * m, who: "kim", id: "crm/order/58", opts: long(2 * h)},
		{ago: 41 * m, who: "sidorova", id: "crm/order/58", do: "take over", reason: c.words[1], opts: long(2 * h)},
		{ago: 33 * m, who: "sidorova", id: "crm/agreement/7#delivery", opts: long(2 * h)},
		{ago: 30 * m, who: "kim", id: "crm/agreement/7#payment", opts: long(2 * h)},
		{ago: 26 * m, who: "chen", id: "crm/invoice/1102", opts: long(h)},
		{ago: 9 * m, who: "petrova", id: "crm/price-list/12", opts: long(2 * h)},
		{ago: 2 * m, who: "kim", id: "crm/invoice/1094"},
		{ago: 1 * m, who: "assistant", id: "crm/order/61"},
		{ago: 4 * time.Second, who: "kim", id: "crm/contract/2417", do: "wait", opts: ask},
		{ago: 4 * time.Second, who: "chen", id: "crm/contract/2417", do: "wait", opts: editlock.CaptureOptions{Wait: h}},
	}
}

func escaped(id string) string { return editlock.ID{ID: id}.String()[2:] }
