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
	for _, t := range slices.Concat(problems, careProblems) {
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

// problems are the formats of InvalidError's problems, of reasons that the
// library gives and of what keeps a store from opening. In the translations
// all verbs are %s.
var problems = []text{
	// Texts and their limits.
	{"must not be empty", "не может быть пустым"},
	{
		"must not be empty: it is what tells one holder from another",
		"не может быть пустым: по нему отличают одного владельца от другого",
	},
	{"is %d bytes long; at most %d are allowed", "длиной %s байт; допустимо не больше %s"},
	{"is not valid UTF-8", "не в кодировке UTF-8"},
	{"has a control character at byte %d; none is allowed", "содержит управляющий символ в байте %s; они недопустимы"},
	{
		"has %U at byte %d, which changes the direction of text; none is allowed",
		"содержит %s в байте %s: он меняет направление текста; такие символы недопустимы",
	},
	{"has nothing but blanks; it must have a visible character", "состоит из одних пробелов; нужен хотя бы один видимый символ"},
	{"has a NUL character at byte %d; none is allowed", "содержит нулевой символ в байте %s; он недопустим"},
	{
		"has %d parts; write %s, and %%2F for a slash within a part",
		"состоит из %s частей; пишите %s, а косую черту внутри части — как %%2F",
	},
	{"id, mode/id or group/mode/id", "id, mode/id или group/mode/id"},
	{"group or group/mode", "group или group/mode"},
	{
		"must not be empty behind a #; write %%23 for a # within an id",
		"не может быть пустой после #; символ # внутри id пишут %%23",
	},
	{
		"names an object; write group or group/mode, as it stands for all below",
		"называет объект; пишите group или group/mode: это всё, что ниже",
	},
	{
		"must be absent with below, which stands for all of a group, or of a group and mode",
		"не указывают вместе с below: это вся группа или весь вид в группе",
	},
	{"must be absent with below", "не указывают вместе с below"},
	{"must be true or absent", "должно быть true или отсутствовать"},
	{"goes with a mutex: it stands for all that is below it", "указывается только вместе с блокировкой и включает всё, что внутри неё"},
	{"goes with id", "возможно только вместе с id"},
	{
		"has a %% that two hexadecimal digits do not follow; write %%25 for a percent sign",
		"содержит %% без двух шестнадцатеричных цифр; сам знак процента пишут %%25",
	},

	// Numbers and durations.
	{"is %v; between %v and %v (30 days) are allowed", "равно %s; допустимо от %s до %s (30 дней)"},
	{"is %v; between %v and %v is allowed", "равно %s; допустимо от %s до %s"},
	{"is %v; up to %v is allowed", "равно %s; допустимо до %s"},
	{"has %d items; between 1 and %d are allowed", "содержит %s элементов; допустимо от 1 до %s"},
	{"is given %d times; at most %d are allowed", "указано %s раз; допустимо не больше %s"},
	{
		"is %d, which is in the future; the latest event is %d",
		"равно %s, это в будущем; последнее событие — %s",
	},

	// What goes with what.
	{"says never and max_hold at once; give one of them", "называет сразу never и max_hold; оставьте одно"},
	{"says never and idle at once; give one of them", "называет сразу never и idle; оставьте одно"},
	{
		"goes with no condition or with if.free only: the others claim what is held already",
		"сочетается только с отсутствием условия или с if.free: остальные относятся к уже захваченному",
	},
	{
		"goes with one mutex only: who waits for several could wait forever",
		"возможно только для одной блокировки: ждать сразу нескольких можно вечно",
	},
	{
		"goes with a wait only: the holder answers who waits",
		"возможно только вместе с ожиданием: владелец отвечает тому, кто ждёт",
	},
	{
		"must be absent or free where several mutexes are captured: status data and token are one mutex's own",
		"при захвате нескольких блокировок должно отсутствовать или быть free: данные и токен у каждой свои",
	},
	{
		"and limit don't go with a takeover: it keeps those of the hold seen",
		"и limit не сочетаются с перехватом: он сохраняет их от перехваченной блокировки",
	},
	{"%d is not known; exclusive and shared are", "%s не бывает; бывает exclusive и shared"},
	{"%q is not known; exclusive and shared are", "%s не бывает; бывает exclusive и shared"},
	{"%d is not known; person, agent and job are", "%s не бывает; бывает person, agent и job"},
	{"%q is not known; person, agent and job are", "%s не бывает; бывает person, agent и job"},
	{
		"says never; an agent may hold for %v, and for %v without a refresh",
		"называет never; агент держит блокировку не дольше %s, а без продления — не дольше %s",
	},
	{
		"does not go with below for an agent: while it waits, nobody gets anything below",
		"агенту нельзя вместе с below: пока он ждёт, ничего внутри не получит никто",
	},
	{"is %v; between %v and %v are allowed for an agent", "равно %s; агенту допустимо от %s до %s"},
	{
		"goes without sharing: those who hold within a limit share it already",
		"не сочетается с sharing: владельцы в пределах limit и так держат блокировку вместе",
	},
	{
		"must be absent here: at most %d may hold a mutex of this group and mode",
		"здесь не указывают: блокировки этой группы и вида держат не больше %s владельцев",
	},
	{
		"and wait don't go with a takeover: seen_token is its condition",
		"и ожидание не сочетаются с перехватом: его условие — seen_token",
	},
	{
		"makes no sense at a release; status_data or token may be given",
		"не имеет смысла при освобождении; можно указать status_data или token",
	},
	{
		"is %v; mutexes[%d] is held longer than that already",
		"— %s, а mutexes[%s] удерживается уже дольше",
	},
	{"is mutexes[%d] again; name each once", "повторяет mutexes[%s]; называйте каждый один раз"},
	{
		"%q is not known; captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared and upgraded are",
		"%s не бывает; бывает captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared, upgraded",
	},

	// What a call must say.
	{"must be the token that a capture returned", "должно быть токеном, полученным при захвате"},
	{"must be a token that a capture returned", "должно быть токеном, полученным при захвате"},
	{"must be the request ID of a capture", "должно быть идентификатором запроса, которым захватывали"},
	{"goes with a release only", "возможно только при освобождении"},
	{"goes without grace", "не сочетается с grace"},
	{"must be the token of the holder seen", "должно быть токеном того владельца, которого видели"},
	{"must be the id of somebody who waits", "должно называть того, кто ждёт"},
	{
		"must not be empty: the one who loses the lock will read it",
		"не может быть пустой: её прочитает тот, кто теряет блокировку",
	},
	{"is not one that a page of this query gave as next", "не взят из предыдущей страницы этого запроса"},

	// Reasons that the library gives.
	{"the store did not confirm a refresh in time", "хранилище вовремя не подтвердило обновление"},

	// What is wrong with the URL of a store. The last is part of the others.
	{"has a control character; none is allowed", "содержит управляющий символ; они недопустимы"},
	{"%q names no kind of store; %s", "%s не называет вид хранилища; %s"},
	{"%q names no kind of store that is known; %s", "%s называет неизвестный вид хранилища; %s"},
	{"must be just memory:, not %q", "должно быть просто memory:, а не %s"},
	{"begins with %s:, which is not in this build; %s", "начинается с %s:, чего нет в этой сборке; %s"},
	{"has no place for a host in %s; write sqlite:PATH", "не должно называть хост в %s; пишите sqlite:ПУТЬ"},
	{"must begin with %s://, not just with %s:; %s", "должно начинаться с %s://, а не только с %s:; %s"},
	{
		"has an @ or # behind its host; percent-encode user and password: %%40 for @, %%23 for #, %%2F for /",
		"содержит @ или # после хоста; имя и пароль пишите с процентами: %%40 вместо @, %%23 вместо #, %%2F вместо /",
	},
	{"names no file; write sqlite:PATH", "не называет файл; пишите sqlite:ПУТЬ"},
	{
		"names no file in %s; write sqlite:PATH, or memory: for a store in memory",
		"не называет файл в %s; пишите sqlite:ПУТЬ или memory: для хранилища в памяти",
	},
	{"is not a URL", "— не URL"},
	{"must begin with http:// or https://, not %q", "должно начинаться с http:// или https://, а не с %s"},
	{"must not be empty: it is an API key or a JWT", "не может быть пустым: это ключ API или JWT"},
	{"has a character that neither API keys nor JWTs have, such as a space or a line break", "содержит символ, которого не бывает в ключах API и JWT, например пробел или перевод строки"},
	{"names no host; write http://HOST:PORT", "не называет хост; пишите http://ХОСТ:ПОРТ"},
	{"must not hold a user or password", "не должно содержать имя или пароль"},
	{
		"must end after the path: what follows ? or # has no meaning here",
		"должно кончаться путём: то, что после ? или #, здесь ничего не значит",
	},
	{
		"write memory:, sqlite:PATH, postgres://HOST/DATABASE, mysql://HOST/DATABASE, redis://HOST:PORT, etcd://HOST:PORT/PREFIX, http://HOST:PORT or https://HOST",
		"пишите memory:, sqlite:ПУТЬ, postgres://ХОСТ/БАЗА, mysql://ХОСТ/БАЗА, redis://ХОСТ:ПОРТ, etcd://ХОСТ:ПОРТ/ПРЕФИКС, http://ХОСТ:ПОРТ или https://ХОСТ",
	},

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
