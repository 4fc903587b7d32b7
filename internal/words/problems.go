package words

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Problem translates what the library, an engine or a server says is wrong,
// which they say in English: over HTTP the words are all that arrives. What
// is not known stays as it is.
func (p *Printer) Problem(english string) string {
	if p.tag == language.English {
		return english
	}
	for _, pr := range compiled() {
		found := pr.pattern.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		args := make([]any, len(found)-1)
		for i, arg := range found[1:] {
			args[i] = p.Problem(arg)
		}
		return fmt.Sprintf(pr.ru, args...)
	}
	return english
}

type problem struct {
	pattern *regexp.Regexp
	ru      string
}

var verb = regexp.MustCompile(`%[a-zU]`)

// compiled makes a pattern of each English format: text as it is, and a group
// for each verb.
var compiled = sync.OnceValue(func() []problem {
	var out []problem
	for _, t := range slices.Concat(openProblems, careProblems) {
		pattern := ""
		for i, part := range strings.Split(t.en, "%%") {
			if i > 0 {
				pattern += "%"
			}
			pattern += verb.ReplaceAllString(regexp.QuoteMeta(part), "(.+?)")
		}
		out = append(out, problem{regexp.MustCompile(`(?s)^` + pattern + `$`), t.ru})
	}
	return out
})

// openProblems are the formats of what keeps a store from opening. In the
// translations all verbs are %s.
var openProblems = []text{
	// What keeps a store from opening.
	{"sqlite: the path of the database file must not be empty", "sqlite: не указан путь к файлу базы"},
	{"sqlite: needs a file; the memory store needs none", "sqlite: нужен файл; без файла работает хранилище memory:"},
	{"sqlite: %s: the folder %s does not exist", "sqlite: %s: нет папки %s"},
	{
		"sqlite: %s: the file is corrupt or not an SQLite database; it was left as it is (%w)",
		"sqlite: %s: файл повреждён или это не база SQLite; он оставлен как есть (%s)",
	},
	{
		"sqlite: %s: the file can't be written: check the rights of the file and of its folder (%w)",
		"sqlite: %s: в файл нельзя писать: проверьте права на файл и папку (%s)",
	},
	{
		"sqlite: %s: the file can't be opened: check its path and rights (%w)",
		"sqlite: %s: файл не открыть: проверьте путь и права (%s)",
	},
	{"sqlite: %s: there is no such file; check the path (%w)", "sqlite: %s: такого файла нет; проверьте путь (%s)"},
	{"sqlite: %s: the disk is full (%w)", "sqlite: %s: на диске нет места (%s)"},
	{
		"sqlite: %s: the disk is full: there is no room for the -shm file beside it (%w)",
		"sqlite: %s: на диске нет места: рядом не помещается файл -shm (%s)",
	},
	{
		"sqlite: %s: %s was removed or replaced while the store was open; " +
			"nothing more is read or written: see the runbook before you stop this process",
		"sqlite: %s: файл %s удалили или заменили, пока хранилище было открыто; больше ничего не читается и не пишется: " +
			"прежде чем остановить этот процесс, загляните в docs/runbook.md",
	},
	{"sqlite: %s: the disk failed (%w)", "sqlite: %s: сбой диска (%s)"},
	{
		"sqlite: %s: another program has locked the file for more than %v (%w)",
		"sqlite: %s: другая программа держит файл дольше %s (%s)",
	},
	{
		"sqlite: %s: its tables have version %d, this editlock knows version %d: use a newer editlock; the file was not changed",
		"sqlite: %s: версия таблиц — %s, а эта программа знает %s: возьмите editlock новее; файл не изменён",
	},
	{
		"sqlite: %s: its tables have version %d, of an older editlock, and this one begins at version %d: name a file that does not exist; " +
			"the older program can write the history with \"editlock history --json\"; the file was not changed",
		"sqlite: %s: таблицы версии %s — от прежнего editlock, а эта программа начинает с версии %s: укажите файл, которого ещё нет; " +
			"историю может записать прежняя программа: «editlock history --json»; файл не изменён",
	},
}
