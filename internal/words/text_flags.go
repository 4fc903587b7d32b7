package words

// flagTexts are the help of the flags; what is in backquotes stands for the
// value.
var flagTexts = map[string]text{
	"flag.store": {
		en: "where the locks are kept, a `URL`: sqlite:PATH, memory:, http://HOST:PORT (default $EDITLOCK_STORE, else sqlite:editlock.db). Everybody on the machine sees a password in it: use --store-file",
		ru: "где хранятся блокировки, `URL`: sqlite:ПУТЬ, memory:, http://ХОСТ:ПОРТ (если не указано: $EDITLOCK_STORE, затем sqlite:editlock.db). Пароль в нём видят все на этой машине: укажите --store-file",
	},
	"flag.store_file": {
		en: "`FILE` with the URL of the store, which may have a password (default $EDITLOCK_STORE_FILE)",
		ru: "`FILE` с URL хранилища, в котором может быть пароль (если не указано: $EDITLOCK_STORE_FILE)",
	},
	"store.shown": {
		en: "Warning: --store may have a password, and everybody on this machine can read arguments. Use --store-file, or $EDITLOCK_STORE.",
		ru: "Внимание: в --store может быть пароль, а аргументы видны всем на этой машине. Укажите --store-file или $EDITLOCK_STORE.",
	},
	"usage.store.both": {en: "%[1]s and %[2]s are both given; give one of them", ru: "указаны и %[1]s, и %[2]s; укажите что-то одно"},
	"flag.credential": {
		en: "`FILE` with the API key or JWT for a server (default $EDITLOCK_CREDENTIAL_FILE; or the key itself in $EDITLOCK_CREDENTIAL)",
		ru: "`FILE` с ключом API или JWT для сервера (если не указано: $EDITLOCK_CREDENTIAL_FILE; или сам ключ в $EDITLOCK_CREDENTIAL)",
	},
	"flag.help": {en: "explain this command", ru: "объяснить эту команду"},
	"flag.json": {en: "print JSON, in the forms of the HTTP interface", ru: "печатать JSON в формах интерфейса HTTP"},

	"flag.session": {
		en: "the owner's session `S`: commands with the same one act as the same owner (default: this process)",
		ru: "сеанс владельца `S`: команды с одним сеансом — один владелец (если не указано: этот процесс)",
	},
	"flag.user":  {en: "the owner's user id `U`: the same user may continue in another session", ru: "id пользователя `U`: тот же пользователь может продолжить в другом сеансе"},
	"flag.login": {en: "the owner's login `L`", ru: "логин владельца `L`"},
	"flag.name":  {en: "the owner's name `N`, for people", ru: "имя владельца `N`, для людей"},
	"flag.host":  {en: "the owner's host `H` (default: this host)", ru: "хост владельца `H` (если не указано: этот хост)"},

	"flag.owner_kind": {
		en: "what the owner is: person, agent or job, a `KIND`; an agent never takes over from a person and holds for 30m at most (default: a person)",
		ru: "кто владелец: person, agent или job, `KIND`; агент не перехватывает у человека и держит не дольше 30m (если не указано: person)",
	},
	"flag.on_behalf_of": {en: "whom an agent or a job acts for, `TEXT` for people", ru: "от чьего имени действует агент или задание, `TEXT` для людей"},

	"flag.idle":        {en: "free it so long after the last refresh: a `DURATION`, or never (default 5m)", ru: "снять через столько после последнего продления: `DURATION` или never (если не указано: 5m)"},
	"flag.max_hold":    {en: "free it a `DURATION` after the capture, refreshed or not", ru: "снять через `DURATION` после захвата, даже если продлевается"},
	"flag.status_data": {en: "`TEXT` to keep with the mutex: progress, or the id of an open form", ru: "`TEXT`, который хранится с блокировкой: ход работы или id открытой формы"},
	"flag.if_free":     {en: "only if nobody holds it, not even this session", ru: "только если не держит никто, даже этот сеанс"},
	"flag.if_status_data": {
		en: "only if it is this session's with exactly this status data `X`",
		ru: "только если блокировка этого сеанса и данные в точности `X`",
	},
	"flag.if_token":    {en: "only if it is this session's with the token `T`", ru: "только если блокировка этого сеанса и токен `T`"},
	"flag.wait":        {en: "queue up to a `DURATION` for what another holds, 1h at most", ru: "ждать в очереди до `DURATION` (не больше 1h), если держит другой"},
	"flag.shared":      {en: "share it with all who hold it shared, too", ru: "держать вместе со всеми, кто тоже делит блокировку"},
	"flag.exclusive":   {en: "share it with nobody; one's own shared lock becomes exclusive if nobody else holds it or waits", ru: "не делить ни с кем; своя общая блокировка становится исключительной, если её никто больше не держит и не ждёт"},
	"flag.below":       {en: "ID is a group or group/mode, and stands for all that is below it", ru: "ID — это группа или группа/тип, то есть всё, что внутри"},
	"flag.list_below":  {en: "only what is below this group or group/mode", ru: "только то, что внутри этой группы или группы/типа"},
	"flag.holders":     {en: "at most `N` may hold it at once; all must say the same", ru: "держать одновременно могут не больше `N`; все указывают одно и то же число"},
	"flag.message":     {en: "with --wait: `TEXT` that asks the holder to hand over", ru: "вместе с --wait: `TEXT`, просьба владельцу уступить"},
	"flag.grant_after": {en: "let who asks with a message have it if you don't answer within a `DURATION`, 1s to 24h", ru: "отдать просящему с сообщением, если вы не ответили за `DURATION`, от 1s до 24h"},

	"flag.group":          {en: "of the group `G` only", ru: "только группы `G`"},
	"flag.mode":           {en: "of the mode `M` only", ru: "только типа `M`"},
	"flag.filter_session": {en: "of the session `S` only", ru: "только сеанса `S`"},
	"flag.filter_user":    {en: "of the user id `U` only", ru: "только пользователя `U`"},
	"flag.text":           {en: "with `TEXT` in name, status data or owner", ru: "с `TEXT` в имени, данных или владельце"},
	"flag.kind":           {en: "of one `KIND` only, such as taken_over; may be repeated", ru: "только вида `KIND`, например taken_over; можно повторять"},
	"flag.from":           {en: "from the `TIME` on, such as 2026-03-31 or 2026-03-31T15:04", ru: "начиная с `TIME`, например 2026-03-31 или 2026-03-31T15:04"},
	"flag.to":             {en: "before the `TIME`", ru: "до `TIME`"},
	"flag.history_text":   {en: "with `TEXT` in name, reason or owner", ru: "с `TEXT` в имени, причине или владельце"},
	"flag.limit":          {en: "print `N` entries at most", ru: "напечатать не больше `N` записей"},
	"flag.after":          {en: "resume behind the event `SEQ`", ru: "продолжить после события `SEQ`"},

	"flag.reason":          {en: "`TEXT` for the one who loses the lock (required)", ru: "`TEXT` для того, кто теряет блокировку (обязательно)"},
	"flag.seen_token":      {en: "act only on the holder with the token `T` (default: the one there now)", ru: "только у владельца с токеном `T` (если не указано: у нынешнего)"},
	"flag.waiter":          {en: "the wait's `ID` (default: the first in the queue)", ru: "`ID` ожидания (если не указано: первое в очереди)"},
	"flag.decline_message": {en: "`TEXT` for the one who waits", ru: "`TEXT` для ожидающего"},

	"flag.kill_after": {en: "after a lost lock, kill the command if it has not ended within a `DURATION` (default 10s)", ru: "после потери блокировки убить команду, если не завершилась за `DURATION` (если не указано: 10s)"},
	"flag.listen":     {en: "`ADDRESS` to listen on (default 127.0.0.1:7117)", ru: "`ADDRESS`, который слушать (если не указано: 127.0.0.1:7117)"},
	"flag.demo":       {en: "add the demo at /demo/", ru: "добавить демонстрацию на /demo/"},
	"flag.serve_keys": {en: "API keys are in `FILE`, which “editlock keys” writes", ru: "API-ключи лежат в `FILE`, его пишет «editlock keys»"},
	"flag.mcp_listen": {
		en: "serve agents over HTTP at `ADDRESS`, such as 127.0.0.1:7118 (default: the agent on standard input and output)",
		ru: "обслуживать агентов по HTTP на `ADDRESS`, например 127.0.0.1:7118 (если не указано: агента на стандартном вводе и выводе)",
	},
	"flag.mcp_origin": {
		en: "with --listen: pages of the `SITE`, such as https://app.example.org, may call; may be repeated (default: none)",
		ru: "вместе с --listen: обращаться могут страницы сайта `SITE`, например https://app.example.org; можно повторять (если не указано: никакие)",
	},
	"flag.config": {
		en: "what these flags say, and whose tokens count, how people log in, who may do what, and limits, is in `FILE` (TOML)",
		ru: "то, что говорят эти флаги, а также чьи токены принимать, как входят люди, кому что можно и пределы — в `FILE` (TOML)",
	},
	"flag.check":     {en: "only say whether a server can be run with it", ru: "только сказать, может ли с ней работать сервер"},
	"flag.metrics":   {en: "show the metrics for Prometheus at `ADDRESS`, too, to anybody who reaches it", ru: "показывать метрики для Prometheus ещё и на `ADDRESS`, всем, кому он доступен"},
	"flag.pprof":     {en: "profiles of the running server at `ADDRESS`, of this machine only", ru: "профили работающего сервера на `ADDRESS`, только этой машины"},
	"flag.tls_cert":  {en: "serve by TLS with the certificate in `FILE` (PEM), read again when it changes", ru: "отвечать по TLS с сертификатом из `FILE` (PEM); изменённый перечитывается"},
	"flag.tls_key":   {en: "the certificate's private key in `FILE` (PEM)", ru: "закрытый ключ сертификата в `FILE` (PEM)"},
	"flag.client_ca": {en: "who signs client certificates, in `FILE` (PEM)", ru: "кто подписывает сертификаты клиентов — в `FILE` (PEM)"},

	"flag.keys":         {en: "the keys `FILE` (required)", ru: "`FILE` с ключами (обязательно)"},
	"flag.right":        {en: "`RIGHTS` with commas between: read, use, takeover, force_release, history, admin", ru: "`RIGHTS` через запятую: read, use, takeover, force_release, history, admin"},
	"flag.right_group":  {en: "the rights are to the group `G`; a * at the end stands for anything", ru: "права на группу `G`; * в конце — что угодно"},
	"flag.right_mode":   {en: "the rights are to the mode `M`; a * at the end stands for anything", ru: "права на тип `M`; * в конце — что угодно"},
	"flag.as_session":   {en: "may act for the session `S` of this back end; a * at the end stands for anything; may be repeated (default: for none)", ru: "может действовать за сеанс `S` этой программы; * в конце — что угодно; можно повторять (если не указано: ни за один)"},
	"flag.as_user":      {en: "may act for the user id `U`; a * at the end stands for anything; may be repeated (default: for none)", ru: "может действовать за пользователя `U`; * в конце — что угодно; можно повторять (если не указано: ни за одного)"},
	"flag.as_kind":      {en: "may act as an owner of `KIND` only: person, agent or job; several with commas between (default: any)", ru: "может действовать только как владелец вида `KIND`: person, agent или job; несколько — через запятую (если не указано: любого)"},
	"flag.expires":      {en: "the key is good for a `DURATION`, such as 2160h (default: until revoked)", ru: "ключ действует `DURATION`, например 2160h (если не указано: до отзыва)"},
	"flag.rank":         {en: "the rank `N`: takes over from ranks up to this one; counts up to ranks.highest_stated of the server", ru: "ранг `N`: перехватывает у рангов не выше; учитывается до ranks.highest_stated сервера"},
	"flag.secret_file":  {en: "the secret that the server knows for the issuer, in `FILE` (required)", ru: "секрет, известный серверу для издателя, в `FILE` (обязательно)"},
	"flag.issuer":       {en: "the issuer's `NAME`, as the server knows it (required)", ru: "`NAME` издателя, как его знает сервер (обязательно)"},
	"flag.audience":     {en: "the `AUDIENCE` that the server wants (required)", ru: "`AUDIENCE`, которую требует сервер (обязательно)"},
	"flag.token_user":   {en: "who the token is for: a user id `U` (required)", ru: "для кого токен: id пользователя `U` (обязательно)"},
	"flag.token_sess":   {en: "the session `S` (default: a new one)", ru: "сеанс `S` (если не указано: новый)"},
	"flag.token_host":   {en: "the owner's host `H`", ru: "хост владельца `H`"},
	"flag.token_kind":   {en: "for an owner of `KIND` alone: agent or job (default: a person, who may state another)", ru: "только для владельца вида `KIND`: agent или job (если не указано: человек, который может указать другой)"},
	"flag.member_of":    {en: "a group `G` that the user belongs to; may be repeated", ru: "группа `G`, в которую входит пользователь; можно повторять"},
	"flag.token_rights": {en: "`RIGHTS` that the token itself gives, with commas between", ru: "`RIGHTS`, которые даёт сам токен, через запятую"},
	"flag.for":          {en: "the token is good for a `DURATION`, 24h at most (default 10m)", ru: "токен действует `DURATION`, не больше 24h (если не указано: 10m)"},
}
