package words

// pageTexts are those of pages that say one thing, with the links on them.
var pageTexts = map[string]text{
	"page.missing":      {en: "There is nothing here", ru: "Здесь ничего нет"},
	"page.missing.more": {en: "The address is wrong, or what was here is gone.", ru: "Адрес неверный, или страницы больше нет."},
	"page.method":       {en: "This address can't be opened", ru: "Этот адрес не открывается"},
	"page.method.more":  {en: "It is used by buttons on pages and by programs.", ru: "Им пользуются кнопки на страницах и программы."},

	"page.foreign": {en: "This came from another site", ru: "Запрос пришёл с другого сайта"},
	"page.foreign.more": {
		en: "A page of another site made your browser send this. Nothing was shown to it, and nothing was changed.",
		ru: "Его заставила отправить страница другого сайта. Она ничего не увидела, и ничего не изменилось.",
	},
	"page.host": {en: "This server has another name", ru: "У этого сервера другое имя"},
	"page.host.more": {
		en: "It listens on this machine only, and answers to localhost and 127.0.0.1. A proxy in front of it must send one of these as the host.",
		ru: "Он слушает только эту машину и отзывается на localhost и 127.0.0.1. Прокси перед ним должен передавать одно из этих имён.",
	},
	"page.arrive":      {en: "One moment", ru: "Минутку"},
	"page.arrive.more": {en: "The page opens by itself.", ru: "Страница откроется сама."},

	"page.unknown": {en: "This server has no login for people", ru: "На этом сервере нет входа для людей"},
	"page.unknown.more": {
		en: "It knows programs, by their keys and tokens. To use the lock manager in a browser, ask the operator to set up a login.",
		ru: "Он узнаёт программы по ключам и токенам. Чтобы открыть менеджер блокировок в браузере, попросите администратора сервера настроить вход.",
	},
	"page.refused": {en: "The server does not know you", ru: "Сервер вас не узнал"},
	"page.refused.more": {
		en: "It does not accept the certificate or token that came with your request:",
		ru: "Он не принял сертификат или токен, с которым пришёл запрос:",
	},
	"page.login":          {en: "You are not logged in", ru: "Вы не вошли"},
	"page.login.more":     {en: "Nothing was changed. Log in and try again.", ru: "Ничего не изменилось. Войдите и повторите."},
	"page.forbidden":      {en: "You are not allowed to do this", ru: "Это вам не разрешено"},
	"page.forbidden.more": {en: "The operator of the server can give you the right.", ru: "Право может дать администратор сервера."},
	"page.limited":        {en: "Too many requests", ru: "Слишком много запросов"},
	"page.limited.more":   {en: "Wait a few seconds, then try again.", ru: "Подождите несколько секунд и повторите."},
	"page.failed":         {en: "The server could not answer", ru: "Сервер не смог ответить"},
	"page.failed.more":    {en: "Try again in a minute. The server's log says why.", ru: "Повторите через минуту. Причина — в журнале сервера."},

	"page.provider":      {en: "The login service can't be reached", ru: "Служба входа недоступна"},
	"page.provider.more": {en: "Try again in a minute.", ru: "Повторите через минуту."},
	"page.denied":        {en: "The login failed", ru: "Войти не удалось"},
	"page.denied.more":   {en: "Try again. If it fails again, ask the operator: the server's log says why.", ru: "Повторите. Если снова не получится, обратитесь к администратору: причина — в журнале сервера."},
	"page.begun":         {en: "This login can't be completed", ru: "Этот вход нельзя завершить"},
	"page.begun.more":    {en: "It was begun in another browser, or took longer than ten minutes.", ru: "Он начат в другом браузере или занял больше десяти минут."},
	"page.out":           {en: "You are logged out", ru: "Вы вышли"},
	"page.out.more":      {en: "Locks that you hold stay yours until they expire.", ru: "Ваши блокировки остаются за вами, пока не истечёт их срок."},
	"page.out_here":      {en: "You are logged out here", ru: "Здесь вы вышли"},
	"page.out_here.more": {
		en: "You are still logged in at the login service. If others use this computer, log out there too.",
		ru: "В службе входа вы ещё не вышли. Если компьютером пользуются другие, выйдите и там.",
	},

	"page.home":         {en: "Go to the locks", ru: "К блокировкам"},
	"page.again":        {en: "Try again", ru: "Повторить"},
	"page.open":         {en: "Open the page", ru: "Открыть страницу"},
	"page.log_in":       {en: "Log in", ru: "Войти"},
	"page.log_in_again": {en: "Log in again", ru: "Войти снова"},
	"page.log_out":      {en: "Log out there", ru: "Выйти и там"},
	"page.demo":         {en: "To the demo", ru: "К демо"},
}
