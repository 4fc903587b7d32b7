package words

// stepInTexts are the help of the commands that step in where somebody holds.
var stepInTexts = map[string]text{
	"takeover.short": {en: "take a mutex from its holder, with a reason", ru: "перехватить блокировку у владельца, указав причину"},
	"takeover.long": {
		en: `Makes you the holder in one step, and tells the previous one who, when and why: at once if
they listen, otherwise with their next call. It takes the mutex from the holder that it sees,
or from the one of --seen-token, and is refused with exit status 3 if the holder changes
meanwhile, and with 4 if nobody holds it.`,
		ru: `Одним шагом делает владельцем вас, а прежнему сообщает, кто, когда и почему: сразу, если
он слушает, иначе при следующем его обращении. Перехватывает у того владельца, которого
видит, или у того, чей токен назван в --seen-token; если владелец успел смениться — отказ
с кодом выхода 3, если блокировку никто не держит — с кодом 4.`,
	},
	"force-release.short": {en: "free a mutex of anybody's, with a reason", ru: "снять чужую блокировку, указав причину"},
	"force-release.long": {
		en: `Frees a mutex no matter who holds it, or passes it to the first who waits. History tells it
from a release by the holder. Like takeover it acts on the holder that it sees, or on
the one of --seen-token, and ends with exit status 4 if nobody holds it.`,
		ru: `Снимает блокировку, кто бы её ни держал, или передаёт первому в очереди. В истории
отличается от снятия самим владельцем. Как и takeover, касается того владельца, которого
видит, или того, чей токен назван в --seen-token; если никто не держит — код выхода 4.`,
	},
	"release-session.short": {en: "free everything that a session holds", ru: "снять всё, что держит сеанс"},
	"release-session.long": {
		en: `Releases all mutexes of one session, at a logout for example, and names them. The cost
grows with what that session holds, not with what others do.`,
		ru: `Снимает все блокировки одного сеанса, например при выходе пользователя, и называет их.
Цена зависит от того, сколько держит этот сеанс, а не остальные.`,
	},
	"hand-over.short": {en: "pass a mutex to the first who waits", ru: "передать блокировку первому в очереди"},
	"hand-over.long": {
		en: `Passes a mutex of this session's to the first in its queue. If nobody waits, it stays
yours. “editlock request” shows who waits and what they ask.`,
		ru: `Передаёт блокировку этого сеанса первому в очереди. Если никто не ждёт, она остаётся за вами.
Кто ждёт и о чём просит, показывает «editlock request».`,
	},
	"decline.short": {en: "refuse somebody who waits", ru: "отказать тому, кто ждёт"},
	"decline.long": {
		en: `Ends a wait for a mutex of this session's: the first one in the queue, or the one whose
id --waiter names, as “editlock request --json” shows it. That command ends with exit
status 3 and the message.`,
		ru: `Прекращает ожидание блокировки этого сеанса: первое в очереди или то, чей id назван в
--waiter (его показывает «editlock request --json»). Команда ожидавшего завершится с
кодом 3 и сообщением.`,
	},
}
