package words

// commandTexts are the help of the commands that hold, free and look: a line
// (short) and a paragraph (long) each.
var commandTexts = map[string]text{
	"editlock.short": {
		en: "who is editing this, and since when",
		ru: "кто это редактирует и с какого времени",
	},
	"editlock.long": {
		en: `Locks for people. One person at a time edits an object; the others are told who
that is, and since when. They can wait in line, ask for it to be handed over, or
take over with a reason, and all of it is on record.

A mutex is named ID, MODE/ID or GROUP/MODE/ID, as in task/42; a slash or percent
sign within a part is written %2F or %25. Who holds it is a session; each process
is one by itself, so commands that belong together share a --session.

Locks live where --store says: sqlite:PATH is a file on this machine,
http://HOST:PORT a server that “editlock serve” runs.

The exit status is 0 for done, 1 for a failure, 2 for wrong usage, 3 for a mutex
that is busy or lost, and 4 where nobody holds what was to be taken over, or
released by force.`,
		ru: `Блокировки для людей. Объект редактирует кто-то один; остальные видят, кто и с
какого времени. Можно ждать в очереди, попросить уступить или перехватить, указав
причину; всё это остаётся в истории.

Имя блокировки: ID, MODE/ID или GROUP/MODE/ID, например task/42; косую черту и знак
процента внутри части пишут %2F и %25. Владелец — это сеанс; каждый процесс —
отдельный сеанс, поэтому связанным командам дают общий --session.

Где хранятся блокировки, указывает --store: sqlite:ПУТЬ — файл на этой машине,
http://ХОСТ:ПОРТ — сервер, запущенный командой «editlock serve».

Код выхода: 0 — сделано, 1 — сбой, 2 — ошибка в вызове, 3 — занято или
потеряно, 4 — блокировку никто не держит (takeover, force-release).`,
	},

	"capture.short": {
		en: "take a mutex, or refresh one that you hold",
		ru: "захватить блокировку или продлить свою",
	},
	"capture.long": {
		en: `Takes a free mutex; of one that this session holds it moves the expiry. If another
holds it, it says who, with exit status 3; --wait queues for it instead, first come,
first served, and --message asks the holder to hand over.

Without --session the owner is this process alone, which ends with the command: the
mutex then stays until it expires. A lock to be refreshed or released by a later
command is captured with --session. A lock around one command is better held by
“editlock run”.`,
		ru: `Захватывает свободную блокировку; захваченную этим же сеансом продлевает. Если её
держит другой, сообщает, кто, с кодом выхода 3; с --wait встаёт в очередь (кто раньше
пришёл, тот раньше получит), а --message просит владельца уступить.

Без --session владелец — только этот процесс. Он заканчивается вместе с командой, а
блокировка остаётся до истечения. Если продлевать или снимать её будет другая команда,
захватывайте с --session. На время одной команды блокировку лучше держит
«editlock run».`,
	},

	"request.short": {en: "say whether a mutex is free, and who holds it", ru: "узнать, свободна ли блокировка и кто её держит"},
	"request.long": {
		en: `Prints FREE, CAPTURED_BY_ME or CAPTURED_BY_OTHER on the first line, then who holds it,
since when, and who waits. It changes nothing. What is yours is judged by --session:
without it, whatever is held is held by another.`,
		ru: `Первой строкой печатает FREE, CAPTURED_BY_ME или CAPTURED_BY_OTHER, затем — кто держит,
с какого времени и кто ждёт. Ничего не меняет. Что ваше, определяет --session: без него
всё занятое считается чужим.`,
	},

	"release.short": {en: "free a mutex that you hold", ru: "снять свою блокировку"},
	"release.long": {
		en: `Frees a mutex of this session's, or passes it to the first who waits. A free one stays
free, which is no error; one that another holds is refused with exit status 3. With
--if-status-data or --if-token it is freed only if it is yours and that holds; otherwise
nothing happens.`,
		ru: `Снимает блокировку этого сеанса или передаёт её первому в очереди. Свободная остаётся
свободной, это не ошибка; чужую снять нельзя, код выхода 3. С --if-status-data или
--if-token снимает, только если блокировка ваша и условие верно; иначе ничего не
происходит.`,
	},

	"list.short": {en: "show what is held, by whom", ru: "показать, что занято и кем"},
	"list.long": {
		en: `Lists all held mutexes in the order of their names, or those that fit all the filters
given. --text finds a literal part of a name, of status data or of an owner, in any
letter case.`,
		ru: `Перечисляет захваченные блокировки по порядку имён, все или подходящие под все
указанные условия. --text ищет буквальную часть имени, данных или владельца без учёта регистра.`,
	},

	"history.short": {en: "show what happened, newest first", ru: "показать, что происходило, начиная с последнего"},
	"history.long": {
		en: `Every capture, release, expiry, takeover, forced release, hand-over, wait and refusal:
who, when, by whom and why. Refreshes are not history. Without an ID it is the history
of all mutexes; filters narrow it, and --limit stops after so many entries.`,
		ru: `Каждый захват, снятие, истечение, перехват, принудительное снятие, передача, ожидание
и отказ: кто, когда, кем и почему. Продления в историю не входят. Без ID это история
всех блокировок; условия её сужают, а --limit ограничивает число записей.`,
	},

	"watch.short": {en: "print events as they happen", ru: "печатать события по мере поступления"},
	"watch.long": {
		en: `Prints one line per event until interrupted: captures, releases, expiries, takeovers,
hand-overs, waits. With --json a line is an entry of the history; its seq, given to
--after, resumes just behind it, so that nothing is missed between two watches.`,
		ru: `До прерывания печатает по строке на событие: захваты, снятия, истечения, перехваты,
передачи, ожидания. С --json строка — запись истории; её seq, переданный в
--after, продолжает сразу за ней, так что между двумя запусками ничего не пропадает.`,
	},

	"run.short": {en: "hold a mutex while a command runs", ru: "держать блокировку, пока работает команда"},
	"run.long": {
		en: `Captures the mutex, keeps it refreshed while the command runs, and releases it however
that ends. The exit status is the command's, or 128 and the number of the signal that
ended it; 3 if the mutex is busy or gets lost, 127 if there is no such command, 126 if
it can't be run. Runs that share a --session share the lock too, and the first to end
releases it. The command finds EDITLOCK_ID and EDITLOCK_TOKEN in its environment;
who writes to shared places should check the token there.

If the lock is lost, to a takeover for example, the command gets SIGTERM, and SIGKILL
if it still runs after --kill-after. SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and
SIGUSR2 are passed on to the command and its children, which form a process group. SIGHUP
and SIGINT, and on Linux SIGTSTP, stay ignored, by the command too, if they were when
editlock started, as under nohup or in the background of a script; others don't.

A stopped process renews nothing: the mutex is free after --idle, and another may have
it when the command continues. Only a check of EDITLOCK_TOKEN where the command writes
keeps a late write out.

Should editlock itself be killed with SIGKILL, the command and its process group are
killed too, on Linux, macOS and BSD; on Linux the kernel sees to the command itself.
On Windows the command goes on, signals other than Ctrl-C are not passed on, and a
lost lock kills it at once. In any case the mutex is free after --idle.`,
		ru: `Захватывает блокировку, продлевает её, пока команда работает, и снимает, как бы та ни
закончилась. Код выхода — от команды или 128 плюс номер сигнала, который её завершил;
3, если блокировка занята или потеряна, 127, если такой команды нет, 126, если её нельзя
запустить. У запусков с общим --session блокировка общая, и первый завершившийся её
снимет. В окружении команды есть EDITLOCK_ID и EDITLOCK_TOKEN; при записи в общее
место проверяйте там токен.

Если блокировка потеряна, например перехвачена, команда получает SIGTERM, а если ещё
работает по истечении --kill-after — SIGKILL. SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1
и SIGUSR2 передаются команде и её потомкам, они образуют группу процессов. SIGHUP и SIGINT,
а в Linux и SIGTSTP, если они игнорировались уже при запуске editlock (под nohup или в фоне
скрипта), не действуют и дальше, в том числе на команду; к остальным это не относится.

Остановленный процесс ничего не продлевает: через --idle блокировка свободна, и когда команда
продолжит работу, её может держать другой. От запоздалой записи защищает только проверка
EDITLOCK_TOKEN там, куда команда пишет.

Если сам editlock убьют сигналом SIGKILL, в Linux, macOS и BSD будут убиты команда и её
группа процессов; в Linux за самой командой следит ядро. В Windows команда продолжит
работу, сигналы, кроме Ctrl-C, не передаются, а потеря блокировки убивает сразу. В
любом случае блокировка снимется через --idle.`,
	},
}
