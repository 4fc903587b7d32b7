package words

// careTexts are the help and the messages of the commands that care for a
// store: backup, restore, doctor.
var careTexts = map[string]text{
	"backup.short": {en: "copy the store to a file, also while it is in use", ru: "скопировать хранилище в файл, в том числе на ходу"},
	"backup.long": {
		en: `Copies an SQLite store to FILE: one moment of it, with all that was acknowledged before.
Servers go on meanwhile. The copy is checked, and on disk, before it gets its name; a file
that exists is replaced with --force only, and only by a copy that is good. Other engines
are copied by their own tools; the command names them.`,
		ru: `Копирует хранилище SQLite в FILE: один момент, со всем, что было подтверждено раньше.
Серверы тем временем работают. Имя копия получает, когда проверена и записана на диск;
существующий файл заменяется только с --force и только исправной копией. Другие базы
копируют их собственными средствами; команда их назовёт.`,
	},
	"restore.short": {en: "put a backup in the place of the store", ru: "поставить резервную копию на место хранилища"},
	"restore.long": {
		en: `Puts a copy of FILE in the place of the SQLite store in --store. Stop all servers first: it
refuses while any process has the store open. It also refuses a FILE that is not sound or
that a newer editlock wrote. The replaced store is kept beside it, with the time in its
name.

Holds are those of the moment of the backup; what had an end has expired since. Tokens go
on behind the last one of the replaced store, so none is ever given twice. If that store
is gone, damaged or another one, they go on at the number of microseconds since 1970.`,
		ru: `Ставит копию FILE на место хранилища SQLite из --store. Сначала остановите все серверы:
пока хранилище кем-то открыто, команда отказывает. Отказывает она и в том случае, если
FILE неисправен или записан более новым editlock. Прежнее хранилище остаётся рядом, со
временем в имени.

Захваты — те, что были в момент копии; те, у которых был срок, истекли. Токены продолжаются
после последнего в прежнем хранилище, ни один не повторится. Если оно пропало,
повреждено или другое, они идут с числа микросекунд от 1970 года.`,
	},
	"flag.force": {en: "replace FILE if it exists", ru: "заменить FILE, если он есть"},

	"backup.done":     {en: "%s is a good copy", ru: "%s — исправная копия"},
	"backup.has":      {en: "  %[1]d mutexes, %[2]d entries of history, %[3]s", ru: "  блокировок: %[1]d, записей истории: %[2]d, размер: %[3]s"},
	"backup.last":     {en: "  last number given out: %d", ru: "  последний выданный номер: %d"},
	"backup.copied":   {en: "copied %[1]s of %[2]s", ru: "скопировано %[1]s из %[2]s"},
	"backup.checking": {en: "checking the copy", ru: "проверка копии"},
	"backup.postgres": {en: "copy a PostgreSQL store with pg_dump and restore it with pg_restore; docs/engines.md says how", ru: "хранилище в PostgreSQL копируют pg_dump и восстанавливают pg_restore; подробнее в docs/engines.md"},
	"backup.mariadb":  {en: "copy a MariaDB or MySQL store with mariadb-dump and restore it with mariadb; docs/engines.md says how", ru: "хранилище в MariaDB или MySQL копируют mariadb-dump и восстанавливают mariadb; подробнее в docs/engines.md"},
	"backup.redis":    {en: "copy a Redis store as its RDB or AOF files (redis-cli --rdb FILE); docs/engines.md says how", ru: "хранилище в Redis копируют файлами RDB или AOF (redis-cli --rdb ФАЙЛ); подробнее в docs/engines.md"},
	"backup.etcd":     {en: "copy an etcd store with “etcdctl snapshot save” and restore it with “etcdutl snapshot restore”; docs/engines.md says how", ru: "хранилище в etcd копируют «etcdctl snapshot save» и восстанавливают «etcdutl snapshot restore»; подробнее в docs/engines.md"},
	"backup.http":     {en: "--store is a server; run this on its machine, with the store that the server has", ru: "в --store указан сервер; запустите это на его машине с тем хранилищем, с которым работает он"},
	"backup.memory":   {en: "a store in memory has nothing to copy", ru: "в хранилище в памяти копировать нечего"},

	"restore.in_use": {en: "another process has the store open; stop all servers first, then try again", ru: "хранилище открыто другим процессом; сначала остановите все серверы, потом повторите"},
	"restore.done":   {en: "%s is restored", ru: "%s восстановлено"},
	"restore.kept":   {en: "  the replaced store is now %s", ru: "  прежнее хранилище теперь называется %s"},
	"restore.jumped": {
		en: "  the replaced store could not tell which numbers were given out: they go on at the time in microseconds",
		ru: "  прежнее хранилище не знает, какие номера выданы: они продолжаются со времени в микросекундах",
	},
}
