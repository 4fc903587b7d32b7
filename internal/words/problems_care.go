package words

// careProblems are the formats of what backup, restore and the configuration
// find wrong, as problems.
var careProblems = []text{
	{"sqlite: %s: exists already; a backup overwrites nothing", "sqlite: %s: уже есть; резервная копия ничего не заменяет"},
	{"sqlite: %s: is no backup, and is not replaced", "sqlite: %s: не резервная копия и не заменяется"},
	{
		"sqlite: %s: is a store in use (it has a -wal file), and is not replaced",
		"sqlite: %s: хранилище в работе (рядом файл -wal) и не заменяется",
	},
	{
		"sqlite: %s: is a name that SQLite gives to a part of a store; choose one that does not end in %s",
		"sqlite: %s: так SQLite называет часть хранилища; выберите имя, которое не кончается на %s",
	},
	{"sqlite: %s: the copy is not sound: %w", "sqlite: %s: копия неисправна: %s"},
	{"sqlite: %s: is the store itself", "sqlite: %s: это само хранилище"},
	{
		"sqlite: %s: the file is no editlock store: it has no table editlock_meta",
		"sqlite: %s: это не хранилище editlock: нет таблицы editlock_meta",
	},
	{"%s: line %d: %s is not known here; do you mean %s?", "%s: строка %s: %s здесь неизвестно; может быть, %s?"},
	{"%s: line %d: %s is not known here; known are %s", "%s: строка %s: %s здесь неизвестно; есть %s"},
	{
		"the environment has %s, which is not known; do you mean %s?",
		"в окружении есть неизвестная переменная %s; может быть, %s?",
	},
	{"the environment has %s, which is not known; known are %s", "в окружении есть неизвестная переменная %s; есть %s"},
	{"%s is not known here; do you mean %s?", "%s здесь неизвестно; может быть, %s?"},
	{"%s is not known here; known are %s", "%s здесь неизвестно; есть %s"},
	{"%s: must be a duration such as 30s or 8h, not %d", "%s: нужен срок, например 30s или 8h, а не %s"},
	{"limits.%s: must be 0, for none, or more, not %d", "limits.%s: допустимы 0 (без предела) и больше, а не %s"},
	{"open %s: no such file or directory", "%s: такого файла нет"},
	{"stat %s: no such file or directory", "%s: такого файла нет"},
	{"open %s: permission denied", "%s: читать нельзя, нет права"},
	{"%s: there is no such file; check the path", "%s: такого файла нет; проверьте путь"},
	{"%s: is no regular file", "%s: это не обычный файл"},
	{"%s: is %d bytes long; at most %d are allowed", "%s: длиной %s байт; допустимо не больше %s"},
	{"%s: must be true or false, not %q", "%s: допустимы true и false, а не %s"},
}
