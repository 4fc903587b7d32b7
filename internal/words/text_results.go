package words

var resultTexts = map[string]text{
	"captured": {en: "%[1]s captured, token %[2]s", ru: "%[1]s: захвачена, токен %[2]s"},
	"until.idle": {
		en: "free again %s after the last refresh",
		ru: "снимется через %s после последнего продления",
	},
	"until.max_hold": {en: "at most for %s", ru: "не дольше %s"},
	"until.never":    {en: "held until released", ru: "до явного снятия"},
	"session.hint": {
		en: "Other commands need --session %s to act as this owner.",
		ru: "Чтобы действовать как этот владелец, другим командам нужен флаг --session %s.",
	},

	"released":     {en: "%s released", ru: "%s: снята"},
	"not_released": {en: "%s: nothing to release", ru: "%s: снимать нечего"},
	"not_held_so": {
		en: "%s: not held by you on that condition, nothing changed",
		ru: "%s: вы не держите её на этом условии, ничего не изменилось",
	},

	"holder":        {en: "%[1]s has been editing since %[2]s", ru: "%[1]s редактирует с %[2]s"},
	"holder.owner":  {en: "owner", ru: "владелец"},
	"holder.token":  {en: "token", ru: "токен"},
	"holder.until":  {en: "free again", ru: "освободится"},
	"holder.in":     {en: "in %s unless refreshed", ru: "через %s, если не продлить"},
	"holder.never":  {en: "when released", ru: "когда снимут"},
	"holder.status": {en: "status data", ru: "данные"},
	"holder.waits":  {en: "queue", ru: "очередь"},
	"waiter":        {en: "%[1]s since %[2]s", ru: "%[1]s с %[2]s"},

	"list.head":    {en: "MUTEX\tHOLDER\tSINCE\tFREE IN\tWAIT\tTOKEN\tSTATUS DATA", ru: "БЛОКИРОВКА\tВЛАДЕЛЕЦ\tС\tЧЕРЕЗ\tЖДУТ\tТОКЕН\tДАННЫЕ"},
	"list.never":   {en: "never", ru: "никогда"},
	"list.empty":   {en: "nothing is held", ru: "ничего не занято"},
	"history.head": {en: "TIME\tWHAT\tMUTEX\tHOLDER\tBY\tTOKEN\tWHY", ru: "ВРЕМЯ\tЧТО\tБЛОКИРОВКА\tВЛАДЕЛЕЦ\tКТО\tТОКЕН\tПОЧЕМУ"},
	"history.none": {en: "no such history", ru: "такой истории нет"},

	"wait.first": {en: "nobody is ahead of you", ru: "перед вами никого"},
	"wait.for":   {en: "waiting: %[1]s; %[2]s", ru: "ожидание: %[1]s; %[2]s"},

	"taken_over":     {en: "%[1]s taken over from %[2]s, token %[3]s", ru: "%[1]s: перехвачена (была у %[2]s), токен %[3]s"},
	"force_released": {en: "%[1]s released by force, it was held by %[2]s", ru: "%[1]s: снята принудительно (была у %[2]s)"},
	"handed_over":    {en: "%s passed to the first who waited", ru: "%s: передана первому в очереди"},
	"nobody_waits":   {en: "%s: nobody waits, you keep it", ru: "%s: никто не ждёт, блокировка остаётся за вами"},
	"declined":       {en: "%s: declined", ru: "%s: отказано"},
	"not_declined":   {en: "%s: that wait is over already", ru: "%s: там уже не ждут"},

	"kind.captured":       {en: "captured", ru: "захват"},
	"kind.released":       {en: "released", ru: "снятие"},
	"kind.expired":        {en: "expired", ru: "истечение"},
	"kind.taken_over":     {en: "taken over", ru: "перехват"},
	"kind.force_released": {en: "force-released", ru: "принудительное снятие"},
	"kind.handed_over":    {en: "handed over", ru: "передача"},
	"kind.waiting":        {en: "waiting", ru: "ожидание"},
	"kind.declined":       {en: "declined", ru: "отказ"},
	"kind.gap":            {en: "gap", ru: "пропуск"},

	"event.captured":       {en: "%[1]s: %[2]s captured it, token %[3]s", ru: "%[1]s: захват, %[2]s, токен %[3]s"},
	"event.released":       {en: "%[1]s: %[2]s released it", ru: "%[1]s: снятие, %[2]s"},
	"event.expired":        {en: "%[1]s: %[2]s did not refresh, it is free", ru: "%[1]s: истекла, владелец не продлевал: %[2]s"},
	"event.taken_over":     {en: "%[1]s: %[2]s took it over from %[3]s, token %[4]s", ru: "%[1]s: перехват, %[2]s вместо %[3]s, токен %[4]s"},
	"event.force_released": {en: "%[1]s: %[2]s took it from %[3]s by force", ru: "%[1]s: принудительное снятие, %[2]s, была у %[3]s"},
	"event.handed_over":    {en: "%[1]s: %[2]s handed it over", ru: "%[1]s: передача, %[2]s"},
	"event.waiting":        {en: "%[1]s: %[2]s waits", ru: "%[1]s: ожидание, %[2]s"},
	"event.declined":       {en: "%[1]s: %[2]s declined %[3]s", ru: "%[1]s: отказ, %[2]s не уступает %[3]s"},
	"event.gap":            {en: "events up to %s are not kept any more", ru: "события до %s уже не хранятся"},

	"run.lost":     {en: "%s; stopping the command", ru: "%s; команда останавливается"},
	"run.killed":   {en: "the command did not end within %s and was killed", ru: "команда не завершилась за %s и убита"},
	"run.missing":  {en: "the command can't be run: %s", ru: "команду не запустить: %s"},
	"run.late":     {en: "%s, as the command was ending", ru: "%s, когда команда завершалась"},
	"run.unfreed":  {en: "could not release %[1]s, it will be free by itself in %[2]s at the latest: %[3]s", ru: "не удалось снять %[1]s, сама снимется не позже чем через %[2]s: %[3]s"},
	"run.no_never": {en: "never does not go with run: were editlock killed, the lock would stay", ru: "never не подходит для run: если editlock убьют, блокировка останется навсегда"},

	"version": {en: "editlock %[1]s, %[2]s", ru: "editlock %[1]s, %[2]s"},
}
