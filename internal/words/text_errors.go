package words

import (
	"maps"

	"golang.org/x/text/feature/plural"
)

// catalogue holds the texts by key. What a key's arguments are, its formats
// tell.
var catalogue = merge(errorTexts, resultTexts, commandTexts, stepInTexts, serverTexts, careTexts, doctorTexts, flagTexts, pageTexts, treeTexts)

func merge(parts ...map[string]text) map[string]text {
	all := make(map[string]text)
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

var errorTexts = map[string]text{
	"editing": {
		en: "%[1]s has been editing %[2]s since %[3]s",
		ru: "%[1]s редактирует %[2]s с %[3]s",
	},
	"editing.shared": {
		en: "%[1]s has been reading %[2]s since %[3]s",
		ru: "%[1]s читает %[2]s с %[3]s",
	},
	"busy": {
		en: "busy: %[1]s has been editing %[2]s since %[3]s",
		ru: "занято: %[1]s редактирует %[2]s с %[3]s",
	},
	"busy.self": {
		en: "busy: %[1]s, that is you in another tab or session, has been editing %[2]s since %[3]s",
		ru: "занято: %[1]s, то есть вы сами из другой вкладки или другого сеанса, редактирует %[2]s с %[3]s",
	},
	"busy.shared": {
		en: "busy: %[1]s has been reading %[2]s since %[3]s",
		ru: "занято: %[1]s читает %[2]s с %[3]s",
	},
	"busy.self.shared": {
		en: "busy: %[1]s, that is you in another tab or session, has been reading %[2]s since %[3]s",
		ru: "занято: %[1]s, то есть вы сами из другой вкладки или другого сеанса, читает %[2]s с %[3]s",
	},
	"conflict.limit": {
		en: "%[1]s holds %[2]s with a limit of %[3]s holders: ask for the same",
		ru: "%[1]s держит %[2]s с ограничением числа владельцев %[3]s: укажите такое же",
	},
	"conflict.sharing": {
		en: "%[1]s holds %[2]s without a limit: ask for it so, too",
		ru: "%[1]s держит %[2]s без ограничения числа владельцев: запросите так же",
	},
	"held_by_person": {
		en: "%[1]s has been editing %[2]s since %[3]s, and an agent ends no person's lock: ask with --message, or wait",
		ru: "%[1]s редактирует %[2]s с %[3]s; агент не снимает блокировку человека: попросите с --message или подождите",
	},
	"who.agent":     {en: "%s (agent)", ru: "%s (агент)"},
	"who.agent_for": {en: "%[1]s (agent for %[2]s)", ru: "%[1]s (агент, от имени: %[2]s)"},
	"who.job":       {en: "%s (job)", ru: "%s (задание)"},
	"who.job_for":   {en: "%[1]s (job for %[2]s)", ru: "%[1]s (задание, от имени: %[2]s)"},
	"busy.declined": {en: "%s declined", ru: "%s отвечает отказом"},

	"lost":                {en: "the lock on %s is lost", ru: "блокировка %s потеряна"},
	"lost.taken_over":     {en: "%[1]s took it over at %[2]s", ru: "перехват, %[1]s в %[2]s"},
	"lost.force_released": {en: "%[1]s released it by force at %[2]s", ru: "снята принудительно, %[1]s в %[2]s"},
	"lost.handed_over":    {en: "it was handed over at %s", ru: "передана следующему в %s"},
	"lost.released":       {en: "it was released at %s", ru: "снята в %s"},
	"lost.expired":        {en: "it was not refreshed in time and expired at %s", ru: "вовремя не продлена и истекла в %s"},
	"lost.free":           {en: "nobody holds it now", ru: "сейчас свободно"},
	"not_held":            {en: "nobody holds %s", ru: "блокировку %s никто не держит"},
	"lost.holder":         {en: "%s has it now", ru: "теперь редактирует %s"},
	"lost.reader":         {en: "%s is reading it now", ru: "теперь читает %s"},

	"error.limited":         {en: "too much at once: %s", ru: "слишком много сразу: %s"},
	"error.unauthenticated": {en: "the server does not know you", ru: "сервер вас не знает"},
	"error.forbidden":       {en: "not allowed: %s", ru: "запрещено: %s"},
	"error.unavailable":     {en: "the lock store is unavailable: %s", ru: "хранилище блокировок недоступно: %s"},
	"error.refused": {
		en: "nothing answers at the address; is the server running there, “editlock serve” or the database? (%s)",
		ru: "по этому адресу никто не отвечает; запущен ли там сервер, «editlock serve» или база данных? (%s)",
	},
	"error.no_file":     {en: "%s: no such file or directory", ru: "%s: такого файла нет"},
	"error.no_right":    {en: "%s: permission denied", ru: "%s: нет права"},
	"error.interrupted": {en: "interrupted", ru: "прервано"},
	"error.prefix":      {en: "editlock: %s", ru: "editlock: %s"},

	"usage.see":     {en: "See “%s --help”.", ru: "Справка: «%s --help»."},
	"usage.command": {en: "there is no command %q", ru: "нет команды %q"},
	"usage.did_you": {en: "there is no command %[1]q; do you mean %[2]q?", ru: "нет команды %[1]q; может быть, %[2]q?"},
	"usage.args.none": {
		en: "takes no arguments, but got %q",
		ru: "команда без аргументов, а передано %q",
	},
	"usage.args.missing": {en: "%s is missing", ru: "не хватает аргумента %s"},
	"usage.args.extra":   {en: "does not know what to do with %q", ru: "лишний аргумент %q"},
	"usage.run.command": {
		en: "the command to run is missing; write it after the ID: editlock run ID -- COMMAND",
		ru: "не указана команда; её пишут после ID: editlock run ID -- КОМАНДА",
	},
	"usage.flag.unknown": {en: "there is no flag %s", ru: "нет флага %s"},
	"usage.flag.value":   {en: "the flag %s needs a value", ru: "флагу %s нужно значение"},
	"usage.flag.invalid": {en: "the flag %[1]s has the value %[2]q; %[3]s", ru: "значение флага %[1]s — %[2]q; %[3]s"},
	"usage.flag.syntax":  {en: "%s is not how a flag is written", ru: "%s — это не запись флага"},
	"usage.flag.missing": {en: "the flag %s is required", ru: "нужен флаг %s"},
	"usage.flag.both":    {en: "the flags %s don't go together; give one", ru: "флаги %s несовместимы; оставьте один"},
	"usage.bool":         {en: "true or false is allowed", ru: "допустимы true и false"},
	"usage.duration":     {en: "a duration such as 90s, 5m or 8h is allowed", ru: "допустима длительность: 90s, 5m, 8h"},
	"usage.idle":         {en: "a duration such as 90s, 5m or 8h, or never, is allowed", ru: "допустима длительность (90s, 5m, 8h) или never"},
	"usage.origin":       {en: "an origin such as https://app.example.org is allowed", ru: "допустим источник вида https://app.example.org"},
	"usage.kind":         {en: "person, agent and job are allowed", ru: "допустимы person, agent и job"},
	"usage.number":       {en: "a positive whole number is allowed", ru: "допустимо целое положительное число"},
	"usage.time": {
		en: "a moment such as 2026-03-31, 2026-03-31T15:04 or 2026-03-31T15:04:05Z is allowed",
		ru: "допустим момент: 2026-03-31, 2026-03-31T15:04, 2026-03-31T15:04:05Z",
	},
	"usage.shell": {en: "completion for %q is not known; bash, zsh and fish are", ru: "для %q дополнения нет; есть для bash, zsh и fish"},

	"span.days":    {en: "%d d", ru: "%d дн."},
	"span.hours":   {en: "%d h", ru: "%d ч"},
	"span.minutes": {en: "%d min", ru: "%d мин"},
	"span.seconds": {en: "%d s", ru: "%d с"},
}

// counted holds the texts that depend on a number, their first argument.
var counted = map[string]forms{
	"busy.more": {
		en: map[plural.Form]string{plural.One: "%d more is busy", plural.Other: "%d more are busy"},
		ru: map[plural.Form]string{
			plural.One: "занята ещё %d", plural.Few: "заняты ещё %d", plural.Many: "занято ещё %d",
		},
	},
	"busy.beside": {
		en: map[plural.Form]string{plural.One: "so has %d more", plural.Other: "so have %d more"},
		ru: map[plural.Form]string{
			plural.One: "и ещё %d", plural.Few: "и ещё %d", plural.Many: "и ещё %d",
		},
	},
	"busy.rest": {
		en: map[plural.Form]string{plural.One: "and %d more", plural.Other: "and %d more"},
		ru: map[plural.Form]string{
			plural.One: "и ещё %d", plural.Few: "и ещё %d", plural.Many: "и ещё %d",
		},
	},
	"waiting": {
		en: map[plural.Form]string{plural.One: "%d waiting", plural.Other: "%d waiting"},
		ru: map[plural.Form]string{
			plural.One: "ждёт %d человек", plural.Few: "ждут %d человека", plural.Many: "ждут %d человек",
		},
	},
	"wait.ahead": {
		en: map[plural.Form]string{plural.One: "%d is ahead of you", plural.Other: "%d are ahead of you"},
		ru: map[plural.Form]string{
			plural.One: "перед вами %d человек", plural.Few: "перед вами %d человека", plural.Many: "перед вами %d человек",
		},
	},
	"session.released": {
		en: map[plural.Form]string{plural.One: "%d mutex of session %s released", plural.Other: "%d mutexes of session %s released"},
		ru: map[plural.Form]string{
			plural.One: "снята %d блокировка сеанса %s", plural.Few: "снято %d блокировки сеанса %s", plural.Many: "снято %d блокировок сеанса %s",
		},
	},
}
