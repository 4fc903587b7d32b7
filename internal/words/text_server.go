package words

// serverTexts are the help and the messages of the server, of the help itself
// and of completion.
var serverTexts = map[string]text{
	"serve.short": {en: "serve locks over HTTP", ru: "раздавать блокировки по HTTP"},
	"serve.long": {
		en: `Serves the locks of a store over HTTP, with its description at /docs and /openapi.json.
--demo adds a small office to try it in: open it in two browsers, and the second is told
who is editing. Callers are taken at their word on who they are: until there is authentication,
only this machine is listened to, unless --without-authentication says otherwise.

SIGINT or SIGTERM ends it without losing anything: locks stay held, and those who wait
keep their place and ask again. A second signal ends it at once.`,
		ru: `Раздаёт блокировки хранилища по HTTP; описание — на /docs и /openapi.json. --demo добавляет
маленькую канцелярию для пробы: откройте её в двух браузерах, и второму скажут, кто
редактирует. Вызывающему верят на слово, кто он: пока нет аутентификации, сервер слушает
только эту машину, если --without-authentication не говорит иное.

SIGINT или SIGTERM завершает работу без потерь: блокировки остаются, ожидающие сохраняют
место и обращаются снова. Второй сигнал завершает сразу.`,
	},
	"serve.demo":  {en: "Open %s in two browsers", ru: "Откройте %s в двух браузерах"},
	"serve.plain": {en: "Serving %s", ru: "Сервер: %s"},
	"serve.exposed": {
		en: "%s can be reached from other machines, and anybody there could say that he is anybody: there is no authentication yet. Listen on 127.0.0.1, or say --without-authentication",
		ru: "%s доступен с других машин, а там любой может назваться кем угодно: аутентификации пока нет. Слушайте 127.0.0.1 или укажите --without-authentication",
	},
	"serve.address": {en: "--listen %[1]q is not an address such as 127.0.0.1:7117 (%[2]s)", ru: "--listen %[1]q — не адрес вида 127.0.0.1:7117 (%[2]s)"},
	"serve.in_use":  {en: "%s is in use by another program; choose another address with --listen", ru: "%s занят другой программой; выберите другой адрес флагом --listen"},
	"serve.remote":  {en: "serve needs a store of its own, such as sqlite:editlock.db, and not a server", ru: "серверу нужно своё хранилище, например sqlite:editlock.db, а не другой сервер"},

	"completion.short": {en: "print completion for bash, zsh or fish", ru: "напечатать дополнение для bash, zsh или fish"},
	"completion.long": {
		en: `Prints a script that makes the shell complete commands and flags with Tab. Load it from
the shell's start-up file.`,
		ru: `Печатает сценарий, с которым оболочка дополняет команды и флаги по Tab. Подключите его в
файле запуска оболочки.`,
	},
	"version.short": {en: "print the version", ru: "напечатать версию"},
	"version.long":  {en: "Prints the version of this program and of the Go that built it.", ru: "Печатает версию программы и версию Go, которой она собрана."},
	"help.short":    {en: "explain a command", ru: "объяснить команду"},
	"help.long":     {en: "Explains editlock, or one of its commands.", ru: "Объясняет editlock или одну из его команд."},

	"help.usage":    {en: "Usage", ru: "Вызов"},
	"help.examples": {en: "Examples", ru: "Примеры"},
	"help.flags":    {en: "Flags", ru: "Флаги"},
	"help.global":   {en: "Flags of all commands", ru: "Флаги всех команд"},
	"help.more":     {en: "“editlock help COMMAND” explains a command.", ru: "«editlock help КОМАНДА» объясняет команду."},

	"group.hold":   {en: "Hold and free", ru: "Держать и освобождать"},
	"group.look":   {en: "Look", ru: "Смотреть"},
	"group.stepin": {en: "Step in", ru: "Вмешиваться"},
	"group.more":   {en: "Server and shell", ru: "Сервер и оболочка"},
}
