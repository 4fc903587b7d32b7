package words

// doctorTexts are the help and the findings of doctor. Keys that end with do
// are advice.
var doctorTexts = map[string]text{
	"doctor.short": {en: "look for what is wrong with a store or a server", ru: "найти неполадки хранилища или сервера"},
	"doctor.long": {
		en: `Checks, for the same flags, environment and file as “serve”: the configuration, files that
hold secrets, the certificate, the port, the store and its version, clocks, the disk, and
whether an SQLite file is sound. Of a server in --store (http:, https:) it checks whether it
answers, is ready, has the right time and knows the caller. Each line is ok, warning or
error, with what to do about it. The exit status is 1 if there is an error.

It changes nothing: no tables are made, and no mutex is captured, as that would stand in the
history. To try the disk it makes a file beside an SQLite store, and removes it. Each check
ends after a while, whatever hangs. Run it as the server's user to see what
that user may do.`,
		ru: `Проверяет, с теми же флагами, окружением и файлом, что и «serve»: настройки, файлы с секретами,
сертификат, порт, хранилище и его версию, часы, диск и исправность файла SQLite. У сервера из
--store (http:, https:) — отвечает ли он, готов ли, верны ли его часы и знает ли он
вызывающего. Каждая строка — порядок, внимание или ошибка, и что с этим делать. Если есть
ошибка, код выхода 1.

Ничего не меняет: таблицы не создаются, блокировка не захватывается, иначе это попало бы в
историю. Чтобы проверить диск, рядом с хранилищем SQLite создаётся и удаляется файл. Любая
проверка когда-нибудь кончается, что бы ни зависло. Запускайте от имени пользователя
сервера, чтобы увидеть его права.`,
	},
	"doctor.ok":      {en: "ok", ru: "порядок"},
	"doctor.warning": {en: "warning", ru: "внимание"},
	"doctor.error":   {en: "error", ru: "ошибка"},
	"doctor.hangs":   {en: "no answer after %v", ru: "нет ответа за %v"},
	"doctor.hangs.do": {
		en: "see whether the disk and the network answer",
		ru: "посмотрите, отвечают ли диск и сеть",
	},

	"doctor.config":       {en: "a server can be run with %s", ru: "сервер может работать с %s"},
	"doctor.config.none":  {en: "a server can be run with this; there is no file", ru: "с этим сервер может работать; файла нет"},
	"doctor.file":         {en: "%s can be read only by those who should", ru: "%s доступен только кому нужно"},
	"doctor.file.none":    {en: "%s is not there", ru: "%s: такого файла нет"},
	"doctor.file.none.do": {en: "make it, or correct the setting that names it", ru: "создайте его или исправьте настройку, которая его называет"},
	"doctor.file.folder":  {en: "%s is a folder", ru: "%s — это папка, а нужен файл"},
	"doctor.file.replaced": {
		en: "%[1]s can be replaced by everybody, as they can write to %[2]s (mode %[3]v)",
		ru: "%[1]s может подменить кто угодно: запись в %[2]s открыта всем (режим %[3]v)",
	},
	"doctor.file.replaced.do": {en: "chmod o-w %s", ru: "выполните chmod o-w %s"},
	"doctor.file.open":        {en: "%[1]s can be reached by everybody (mode %[2]v)", ru: "%[1]s доступен всем (режим %[2]v)"},
	"doctor.file.open.do": {
		en: "chmod o= %s",
		ru: "выполните chmod o= %s",
	},
	"doctor.cert":      {en: "the certificate is good until %s", ru: "сертификат действует до %s"},
	"doctor.cert.over": {en: "the certificate ended on %s", ru: "сертификат истёк %s"},
	"doctor.cert.do":   {en: "renew it; a server reads the new one by itself", ru: "обновите его; новый сервер прочитает сам"},
	"doctor.origins":   {en: "pages of these sites may call: %s", ru: "обращаться могут страницы этих сайтов: %s"},
	"doctor.origins.none": {
		en: "only the server's own pages may call; for those of other sites set origins in [http]",
		ru: "обращаться могут только страницы самого сервера; для страниц других сайтов задайте origins в [http]",
	},
	"doctor.port.free": {en: "%s is free", ru: "%s свободен"},
	"doctor.port.own":  {en: "%[1]s is a running server (%[2]s)", ru: "%[1]s — работающий сервер (%[2]s)"},
	"doctor.port.other": {
		en: "%s is in use by another program",
		ru: "%s занят другой программой",
	},
	"doctor.port.do": {en: "choose another address with --listen", ru: "выберите другой адрес флагом --listen"},

	"doctor.store":           {en: "%[1]s answers (%[2]s) in %[3]v", ru: "%[1]s отвечает (%[2]s) за %[3]v"},
	"doctor.store.slow.do":   {en: "each change takes at least as long; look at the network and the disk there", ru: "каждое изменение длится не меньше; проверьте сеть и диск там"},
	"doctor.store.memory":    {en: "the store is in memory, and gone with the process", ru: "хранилище в памяти и исчезает вместе с процессом"},
	"doctor.store.memory.do": {en: "use sqlite:PATH for locks that stay", ru: "для блокировок, которые остаются, укажите sqlite:ПУТЬ"},
	"doctor.store.folder":    {en: "the folder %s does not exist", ru: "нет папки %s"},
	"doctor.store.folder.do": {en: "make it, and give the server the right to write there; or correct --store", ru: "создайте её и дайте серверу право писать в неё; или исправьте --store"},
	"doctor.store.none":      {en: "%s is not there yet", ru: "%s ещё нет"},
	"doctor.store.none.do":   {en: "the first server makes it; or correct --store", ru: "его создаст первый сервер; или исправьте --store"},
	"doctor.store.do":        {en: "correct --store, or see what the engine's own log says", ru: "исправьте --store или посмотрите журнал самой базы"},
	"doctor.store.file.do": {
		en: "correct --store, or the file's rights; if the file is damaged, stop the servers and run “editlock restore FILE”",
		ru: "исправьте --store или права на файл; если он повреждён, остановите серверы и выполните «editlock restore FILE»",
	},
	"doctor.schema":         {en: "the tables have version %d, the newest known", ru: "версия таблиц — %d, новейшая известная"},
	"doctor.schema.none":    {en: "there are no tables yet", ru: "таблиц ещё нет"},
	"doctor.schema.none.do": {en: "the first server makes them", ru: "их создаст первый сервер"},
	"doctor.schema.old":     {en: "the tables have version %[1]d; the next start makes it %[2]d", ru: "версия таблиц — %[1]d; следующий запуск сделает %[2]d"},
	"doctor.schema.old.do":  {en: "back up first: there is no way back", ru: "сначала сделайте копию: пути назад нет"},

	"doctor.clock":         {en: "differs from this machine's by %v", ru: "отличаются от часов этой машины на %v"},
	"doctor.lazy":          {en: "with %s a crash of the server's machine may lose locks that were acknowledged", ru: "с настройкой %s при сбое машины сервера могут пропасть уже подтверждённые блокировки"},
	"doctor.lazy.do":       {en: "change that setting, unless you can do without them", ru: "измените настройку, если их потеря недопустима"},
	"doctor.clock.own":     {en: "this machine's clock decides", ru: "решают часы этой машины"},
	"doctor.clock.etcd":    {en: "etcd's leases tell the time; no machine's time of day matters", ru: "время отсчитывают аренды etcd; часы машин не важны"},
	"doctor.clock.loose":   {en: "this machine's clock decides, and no time service sets it", ru: "решают часы этой машины, и служба времени их не сверяет"},
	"doctor.clock.skew":    {en: "is ahead of this machine's by %v (behind, if negative)", ru: "впереди часов этой машины на %v (если меньше нуля — позади)"},
	"doctor.clock.skew.do": {en: "set both clocks by NTP (chronyd, systemd-timesyncd)", ru: "сверяйте и те и другие по NTP (chronyd, systemd-timesyncd)"},
	"doctor.clock.none":    {en: "the server does not say what time it has", ru: "сервер не сообщает своё время"},

	"doctor.disk.network":    {en: "%[1]s is on %[2]s, a network file system: SQLite's locks don't hold there", ru: "%[1]s на сетевой файловой системе %[2]s: блокировки SQLite там не действуют"},
	"doctor.disk.network.do": {en: "move the file to a disk of this machine, or use PostgreSQL", ru: "перенесите файл на диск этой машины или возьмите PostgreSQL"},
	"doctor.disk.space":      {en: "%[1]s are free in %[2]s", ru: "в %[2]s свободно %[1]s"},
	"doctor.disk.space.do":   {en: "make room, or bound the history; beside the database an SQLite store needs 8 MiB for its -wal file", ru: "освободите место или ограничьте историю; кроме самой базы, хранилищу SQLite нужно 8 МиБ для файла -wal"},
	"doctor.disk.write":      {en: "%[1]s can't be written to: %[2]v", ru: "в %[1]s нельзя писать: %[2]v"},
	"doctor.disk.write.do":   {en: "see its rights, its space, and whether you are the server's user", ru: "проверьте права, место и тот ли вы пользователь, что у сервера"},
	"doctor.disk.sync":       {en: "a write is on the disk after %v", ru: "запись попадает на диск за %v"},
	"doctor.disk.sync.do":    {en: "each change waits for that; use a faster disk", ru: "каждое изменение ждёт этого; возьмите диск быстрее"},
	"doctor.contents":        {en: "sound: %[1]d mutexes, %[2]d waiting, %[3]d entries of history, %[4]s", ru: "исправно: блокировок %[1]d, ждут %[2]d, записей истории %[3]d, %[4]s"},
	"doctor.contents.do":     {en: "stop the servers and restore a backup: editlock restore FILE", ru: "остановите серверы и восстановите копию: editlock restore FILE"},

	"doctor.server":              {en: "%[1]s answers (%[2]s) in %[3]v", ru: "%[1]s отвечает (%[2]s) за %[3]v"},
	"doctor.server.other":        {en: "something else than editlock answers at %s", ru: "по адресу %s отвечает не editlock"},
	"doctor.server.do":           {en: "see whether “editlock serve” runs there, and what is on the way", ru: "посмотрите, работает ли там «editlock serve» и что стоит на пути"},
	"doctor.ready":               {en: "it takes requests", ru: "принимает запросы"},
	"doctor.ready.not":           {en: "%[1]s: %[2]s", ru: "%[1]s: %[2]s"},
	"doctor.ready.do":            {en: "run “editlock doctor” on its machine, and see its log", ru: "запустите «editlock doctor» на его машине и посмотрите журнал"},
	"doctor.caller":              {en: "the server answers you", ru: "сервер вам отвечает"},
	"doctor.caller.do":           {en: "give a key or token that the server knows", ru: "укажите ключ или токен, известный серверу"},
	"doctor.caller.forbidden.do": {en: "the server knows you, but you may not list mutexes", ru: "сервер вас знает, но перечислять блокировки вам нельзя"},
}
