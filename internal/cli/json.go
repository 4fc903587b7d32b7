package cli

import (
	"github.com/spf13/pflag"

	"github.com/editlock/editlock/internal/wire/strictjson"
)

func (a *app) jsonFlag(fs *pflag.FlagSet) {
	fs.BoolVar(&a.json, "json", false, a.words.Text("flag.json"))
}

// writeJSON prints one form, a pointer to a struct of package wire, on a line.
func (a *app) writeJSON(form any) error {
	line, err := strictjson.Append(nil, form)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(append(line, '\n'))
	return err
}

// jsonList prints {"name":[…],"next_cursor":null} item by item, so that a list
// of any length needs no memory.
type jsonList struct {
	a     *app
	begin string
	count int
}

func (a *app) jsonList(name string) *jsonList {
	return &jsonList{a: a, begin: `{"` + name + `":[`}
}

func (l *jsonList) add(form any) error {
	lead := ","
	if l.count == 0 {
		lead = l.begin
	}
	l.count++
	item, err := strictjson.Append([]byte(lead), form)
	if err != nil {
		return err
	}
	_, err = l.a.stdout.Write(item)
	return err
}

func (l *jsonList) end() error {
	text := "],\"next_cursor\":null}\n"
	if l.count == 0 {
		text = l.begin + text
	}
	_, err := l.a.stdout.Write([]byte(text))
	return err
}
