package words

// serverTexts are the help and the messages of the server, of the help itself
// and of completion.
var serverTexts = map[string]text{
	"serve.short": {en: "serve locks over HTTP", ru: "открыть доступ к блокировкам по HTTP"},
	"serve.long": {
		en: `Serves the locks of a store over HTTP, with its description at /docs and /openapi.json.
--demo adds a small office to try it in: open it in two browsers, and the second is told
who is editing. Without keys, tokens, logins or client certificates
callers are taken at their word on who they are, and only this machine is listened to.

What the flags say can also stand in the file of --config, under the same names with _ for -,
or in the environment, as EDITLOCK_SERVE_LISTEN. A flag counts before the environment, and that
before the file; “editlock config” shows what counts.

SIGINT or SIGTERM ends it without losing anything: locks stay held, and those who wait
keep their place and ask again. A second signal ends it at once.`,
		ru: `Открывает доступ к блокировкам хранилища по HTTP; описание — на /docs и /openapi.json.
--demo добавляет маленькую канцелярию для пробы: откройте её в двух браузерах, и второй
увидит, кто редактирует. Без ключей, токенов, входа и сертификатов клиентов вызывающему верят на слово,
кто он, и сервер слушает только эту машину.

То же, что флагами, можно сказать в файле --config, под теми же именами с _ вместо -, и в
окружении, например EDITLOCK_SERVE_LISTEN. Флаг важнее окружения, окружение важнее файла; что
в итоге действует, покажет «editlock config».

SIGINT или SIGTERM завершает работу без потерь: блокировки остаются, ожидающие сохраняют
место и обращаются снова. Второй сигнал завершает сразу.`,
	},
	"serve.demo":  {en: "Open %s in two browsers", ru: "Откройте %s в двух браузерах"},
	"serve.plain": {en: "Serving %s", ru: "Сервер: %s"},
	"serve.exposed": {
		en: "%s can be reached from other machines, and anybody there could claim to be anybody. Listen on 127.0.0.1, or tell whom to believe with --keys, --client-ca, or issuers or a login in the file of --config",
		ru: "%s доступен с других машин, а там любой может назваться кем угодно. Слушайте 127.0.0.1 или укажите, кому верить: --keys, --client-ca или издатели и вход в файле --config",
	},
	"serve.flag_with":  {en: "%s goes with %s", ru: "%s указывают вместе с %s"},
	"serve.demo_known": {en: "--demo goes without keys, tokens, logins and client certificates: its people are made up", ru: "--demo не сочетается с ключами, токенами, входом и сертификатами клиентов: люди в ней вымышлены"},

	"mcp.short": {en: "let agents hold locks, by the Model Context Protocol", ru: "дать агентам держать блокировки по Model Context Protocol"},
	"mcp.long": {
		en: `Gives an agent tools to see who edits what, to capture, refresh and release locks, to ask a
holder, and to read the history. An agent is shown as one, on behalf of the user of this host
unless --on-behalf-of says otherwise. It never takes over from a person, and holds for 30 minutes
at most, 5 of them without a refresh.

Without --listen it serves the one agent that starts it, over standard input and output, and
releases what that agent held when it ends. With --listen it serves agents over HTTP at /mcp: each
brings its own API key or token, which goes to the server of --store as it is.`,
		ru: `Даёт агенту инструменты: видеть, кто что редактирует, захватывать, продлевать и снимать
блокировки, просить владельца уступить, читать историю. Агента видно как агента, от имени
пользователя этой машины, если --on-behalf-of не называет другого. Агент не перехватывает у человека
и держит не дольше 30 минут, а без продления — не дольше 5.

Без --listen обслуживает одного агента, который его запустил, через стандартный ввод и вывод, и
снимает удержанное, когда тот уходит. С --listen обслуживает агентов по HTTP на /mcp: каждый
приходит со своим ключом API или токеном, который передаётся серверу из --store как есть.`,
	},
	"mcp.serving": {en: "Serving agents at %s", ru: "Агентам: %s"},
	"mcp.callers": {
		en: "%s goes without --listen: over HTTP the callers' credentials say who they are",
		ru: "%s не сочетается с --listen: по HTTP вызывающих называют их ключи и токены",
	},
	"mcp.credential": {
		en: "a credential goes without --listen: over HTTP each caller brings its own, and none may use this one",
		ru: "ключ не сочетается с --listen: по HTTP каждый приходит со своим, и пользоваться чужим нельзя",
	},
	"mcp.exposed": {
		en: "%s can be reached from other machines, and the store of --store believes everybody. Listen on 127.0.0.1, or name a server in --store that asks for credentials",
		ru: "%s доступен с других машин, а хранилище из --store верит любому. Слушайте 127.0.0.1 или укажите в --store сервер, который спрашивает ключи",
	},

	"config.short": {en: "show or check what a server is told", ru: "показать или проверить настройки сервера"},
	"config.long": {
		en: `Prints the configuration that “serve” with the same flags, environment and file would have,
with where each value comes from: a file that says the same, but for a password in the store's
URL, which is left out. With --check it says only whether a server can be run with it.`,
		ru: `Печатает настройки, которые были бы у «serve» с теми же флагами, окружением и файлом, и откуда
взято каждое значение. Получается файл, говорящий то же самое, кроме пароля в URL хранилища: его
здесь нет. С --check только говорит, может ли с ними работать сервер.`,
	},
	"config.default": {en: "default", ru: "по умолчанию"},
	"config.good":    {en: "A server can be run with this.", ru: "Сервер может с этим работать."},

	"keys.short": {en: "create, list and revoke API keys", ru: "создавать, перечислять и отзывать API-ключи"},
	"keys.long": {
		en: `API keys are for back ends, which act for many people and say for each call whom for.
The file holds their hashes only; a server that runs with --keys FILE sees a change within a second.`,
		ru: `API-ключи нужны серверным программам: они действуют за многих людей и при каждом вызове
говорят, за кого. В файле лежат только хеши; сервер с --keys FILE видит изменение за секунду.`,
	},
	"keys.create.short": {en: "make a key and print it, this once", ru: "создать ключ и один раз его напечатать"},
	"keys.create.long": {
		en: `Makes a key for a back end called NAME and prints it. It is kept nowhere and can't be shown again.
Its sessions are its own: the same session of another key or issuer is another holder. Keys of
one NAME, and an issuer of that name, share them.`,
		ru: `Создаёт ключ для программы с именем NAME и печатает его. Он нигде не хранится, второй раз его не показать.
Его сеансы — только его: такой же сеанс другого ключа или издателя — другой владелец. У ключей
с одним NAME и у издателя с этим именем они общие.`,
	},
	"keys.list.short":   {en: "list the keys", ru: "перечислить ключи"},
	"keys.list.long":    {en: "Lists the keys of a file: who has them, what they allow, and whether they count.", ru: "Перечисляет ключи файла: у кого они, что разрешают и действуют ли."},
	"keys.revoke.short": {en: "revoke a key", ru: "отозвать ключ"},
	"keys.revoke.long":  {en: "Revokes the key of an ID for good. It stays in the list.", ru: "Навсегда отзывает ключ с этим ID. В списке он остаётся."},
	"keys.once":         {en: "This is the key %s. It is shown this once only.", ru: "Это ключ %s. Он показывается только один раз."},
	"keys.nobody": {
		en: "It may read, but capture for nobody: --as-session says for whom. \"*\" is every session of this back end.",
		ru: "Он может читать, но не захватывать: за кого, скажет --as-session. «*» — любой сеанс этой программы.",
	},
	"keys.head":    {en: "ID\tNAME\tSTATE\tRIGHTS\tACTS FOR\tCREATED", ru: "ID\tИМЯ\tСОСТОЯНИЕ\tПРАВА\tДЕЙСТВУЕТ ЗА\tСОЗДАН"},
	"keys.valid":   {en: "valid", ru: "действует"},
	"keys.until":   {en: "until %s", ru: "до %s"},
	"keys.revoked": {en: "revoked %s", ru: "отозван %s"},
	"keys.expired": {en: "expired %s", ru: "истёк %s"},
	"keys.none":    {en: "no key has the ID %s", ru: "нет ключа с ID %s"},
	"keys.gone":    {en: "%s is revoked", ru: "%s отозван"},

	"token.short": {en: "sign a short-lived token for a page", ru: "подписать короткий токен для страницы"},
	"token.long": {
		en: `Signs a JWT (HS256) that says who is in front of a page, and prints it. An application does the
same with its own library; docs/security.md has the claims.`,
		ru: `Подписывает JWT (HS256), который говорит, кто сидит перед страницей, и печатает его. Приложение
делает то же своей библиотекой; поля описаны в docs/security.md.`,
	},
	"serve.address": {en: "--listen %[1]q is not an address such as 127.0.0.1:7117 (%[2]s)", ru: "--listen %[1]q — не адрес вида 127.0.0.1:7117 (%[2]s)"},
	"serve.side":    {en: "%[1]s %[2]q can't be listened on: %[3]s", ru: "%[1]s %[2]q слушать нельзя: %[3]s"},
	"serve.pprof":   {en: "--pprof %q can be reached from other machines; give an address of this one, such as 127.0.0.1:6060", ru: "--pprof %q доступен с других машин; укажите адрес этой, например 127.0.0.1:6060"},
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
	"help.commands": {en: "Commands", ru: "Команды"},
	"help.flags":    {en: "Flags", ru: "Флаги"},
	"help.global":   {en: "Flags of all commands", ru: "Флаги всех команд"},
	"help.more":     {en: "“editlock help COMMAND” explains a command.", ru: "«editlock help КОМАНДА» объясняет команду."},

	"group.hold":   {en: "Hold and free", ru: "Держать и освобождать"},
	"group.look":   {en: "Look", ru: "Смотреть"},
	"group.stepin": {en: "Step in", ru: "Вмешиваться"},
	"group.more":   {en: "Server and shell", ru: "Сервер и оболочка"},
}
