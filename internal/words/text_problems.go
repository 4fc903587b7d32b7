package words

import "maps"

// problems are the Russian sentences of all codes. Their arguments are those of
// the English sentence, as texts, in the same order.
var problems = func() map[string]string {
	all := maps.Clone(textProblems)
	for _, part := range []map[string]string{rangeProblems, callProblems, queryProblems, guardProblems, urlProblems, fileProblems, configProblems} {
		maps.Copy(all, part)
	}
	return all
}()

// textProblems are about texts and names.
var textProblems = map[string]string{
	"empty":                     "не может быть пустым",
	"empty_session":             "не может быть пустым: по нему отличают одного владельца от другого",
	"empty_reason":              "не может быть пустой: её прочитает тот, кто теряет блокировку",
	"empty_credential":          "не может быть пустым: это ключ API или JWT",
	"empty_session_of_stranger": "не может быть пустым; чтобы спросить как посторонний, не указывайте owner",
	"empty_token_user":          "не может быть пустым: это тот, для кого токен",
	"empty_part":                "не может быть пустой после #; символ # внутри id пишут %%23",
	"too_long":                  "длиной %s байт; допустимо не больше %s",
	"not_utf8":                  "не в кодировке UTF-8",
	"control_character":         "содержит управляющий символ в байте %s; они недопустимы",
	"nul_character":             "содержит нулевой символ в байте %s; он недопустим",
	"direction_character":       "содержит %s в байте %s: он меняет направление текста; такие символы недопустимы",
	"blank":                     "состоит из одних пробелов; нужен хотя бы один видимый символ",
	"too_many_parts":            "состоит из %s частей; пишите %s, а косую черту внутри части — как %%2F",
	"bad_escape":                "содержит %% без двух шестнадцатеричных цифр; сам знак процента пишут %%25",
	"below_names_object":        "называет объект; пишите group или group/mode: это всё, что ниже",
	"not_a_credential":          "содержит символ, которого не бывает в ключах API и JWT, например пробел или перевод строки",
}

// rangeProblems are about numbers, durations and lists.
var rangeProblems = map[string]string{
	"out_of_range":       "равно %s; допустимо от %s до %s",
	"lease_out_of_range": "равно %s; допустимо от %s до %s (30 дней)",
	"agent_out_of_range": "равно %s; агенту допустимо от %s до %s",
	"above_maximum":      "равно %s; допустимо до %s",
	"negative_age":       "не может быть отрицательным: это время с первой отправки",
	"item_count":         "содержит %s элементов; допустимо от 1 до %s",
	"too_many_items":     "содержит %s элементов; допустимо не больше %s",
	"too_many_values":    "указано %s раз; допустимо не больше %s",
	"given_again":        "указано %s раз; укажите один раз",
	"in_the_future":      "равно %s, это в будущем; последнее событие — %s",
	"held_longer":        "— %s, а mutexes[%s] удерживается уже дольше",
	"duplicate":          "повторяет mutexes[%s]; называйте каждый один раз",
	"named_twice":        "указано дважды; называйте каждую блокировку один раз",
	"not_a_duration":     "— это срок, например \"300s\", \"5m\" или \"8h\", а не %q",
	"not_a_number":       "— это целое число, а не %q",
	"not_a_time":         "— это время, например 2025-11-22T12:04:00Z, а не %q",
	"not_an_event_id":    "— это номер события, целое число, а не %q",
}

// callProblems are about what goes with what, and what a call must say.
var callProblems = map[string]string{
	"given_with_below":        "не указывают вместе с below: это вся группа или весь вид в группе",
	"tree_without_mutex":      "указывается только вместе с блокировкой и включает всё, что внутри неё",
	"never_with_max_hold":     "называет сразу never и max_hold; оставьте одно",
	"never_with_idle":         "называет сразу never и idle; оставьте одно",
	"never_for_agent":         "называет never; агент держит блокировку не дольше %s, а без продления — не дольше %s",
	"below_for_waiting_agent": "агенту нельзя вместе с below: пока он ждёт, ничего внутри не получит никто",
	"wait_with_condition":     "сочетается только с отсутствием условия или с if.free: остальные относятся к уже захваченному",
	"wait_for_several":        "возможно только для одной блокировки: ждать сразу нескольких можно вечно",
	"condition_of_several":    "возможно только для одной блокировки: данные и токен у каждой свои",
	"not_free_of_several":     "при захвате нескольких блокировок должно отсутствовать или быть free: данные и токен у каждой свои",
	"goes_with_one_mutex":     "возможно только для одной блокировки",
	"goes_with_wait":          "возможно только вместе с ожиданием: владелец отвечает тому, кто ждёт",
	"goes_with_release":       "возможно только при освобождении",
	"goes_without_grace":      "не сочетается с grace",
	"free_at_release":         "не имеет смысла при освобождении; можно указать status_data или token",
	"sharing_with_takeover":   "и limit не сочетаются с перехватом: он сохраняет их от перехваченной блокировки",
	"condition_with_takeover": "и ожидание не сочетаются с перехватом: его условие — seen_token",
	"several_conditions":      "называет больше одного из free, status_data, token и request; оставьте одно",
	"limit_with_sharing":      "не сочетается с sharing: владельцы в пределах limit и так держат блокировку вместе",
	"limited_by_server":       "здесь не указывают: блокировки этой группы и вида держат не больше %s владельцев",
	"visible_of_server":       "не для серверов: они показывают по правам вызывающего; не указывайте",
	"unknown_sharing":         "%q не бывает; бывает exclusive и shared",
	"unknown_owner_kind":      "%q не бывает; бывает person, agent и job",
	"unknown_kind":            "%q не бывает; бывает captured, released, expired, taken_over, force_released, handed_over, waiting, declined, shared, upgraded",
	"unknown_state":           "— это unsaved, editing, looking или idle, а не %q",
	"not_a_token":             "должно быть токеном, полученным при захвате",
	"not_a_seen_token":        "должно быть токеном того владельца, которого видели",
	"not_a_request_id":        "должно быть идентификатором запроса, которым захватывали",
	"not_a_waiter":            "должно называть того, кто ждёт",
	"not_a_cursor":            "не взят из предыдущей страницы этого запроса",
	"not_confirmed":           "хранилище вовремя не подтвердило обновление",
}

// queryProblems are about the shape of HTTP requests.
var queryProblems = map[string]string{
	"missing":                "не указано",
	"owner_missing":          "не указан: он говорит, кто вы",
	"owner_of_key_missing":   "не указан: ключ API действует за многих и говорит, за кого",
	"page_missing":           "не указана: она отличает страницу от других страниц того же сеанса",
	"looks_missing":          "не указано; при закрытии страницы — пустой список",
	"presence_without_owner": "требует owner: он говорит, кто смотрит",
	"mutexes_with_mutex":     "указано вместе с mutex; оставьте одно",
	"goes_with_id":           "возможно только вместе с id",
	"not_true":               "должно быть true или отсутствовать",
	"query_with_body":        "должен быть пустым: данные этого вызова — в теле запроса",
	"malformed_query":        "записан неверно: %s",
	"malformed_name":         "содержит параметр с пустым именем или не в кодировке UTF-8: %q",
	"unknown_parameter":      "здесь неизвестно; есть %s",
	"arrived_late":           "не пришло за %s",
	"cut_short":              "оборвалось",
}

// guardProblems are about what a save brings for a guard.
var guardProblems = map[string]string{
	"not_a_lock_token":   "должно быть токеном блокировки, целым числом больше 0",
	"not_part_and_token": "пишут как часть=токен через запятую, часть — с процентами",
	"part_twice":         "называет часть дважды",
	"too_many_held":      "называет больше %s частей",
	"nothing_held":       "не указан: ничего из сохраняемого не удерживается",
	"not_a_save_number":  "должно быть номером сохранения, целым числом больше 0",
	"token_of_nothing":   "должно быть токеном захваченной блокировки, а не %s",
	"negative":           "не может быть отрицательным",
}

// urlProblems are about the URLs of stores and servers.
var urlProblems = map[string]string{
	"no_scheme":            "%q не называет вид хранилища; " + urlForms,
	"unknown_scheme":       "%q называет неизвестный вид хранилища; " + urlForms,
	"memory_with_more":     "должно быть просто memory:, а не %q",
	"no_slashes":           "должно начинаться с %s://, а не только с %s:; " + urlForms,
	"password_not_encoded": "содержит @ или # после хоста; имя и пароль пишите с процентами: %%40 вместо @, %%23 вместо #, %%2F вместо /",
	"host_of_file":         "не должно называть хост в %s; пишите sqlite:ПУТЬ",
	"no_file_name":         "не называет файл; пишите sqlite:ПУТЬ",
	"not_a_file_name":      "не называет файл в %s; пишите sqlite:ПУТЬ или memory: для хранилища в памяти",
	"not_a_url":            "— не URL",
	"not_http":             "должно начинаться с http:// или https://, а не с %q",
	"no_host":              "не называет хост; пишите http://ХОСТ:ПОРТ",
	"user_in_url":          "не должно содержать имя или пароль",
	"query_in_url":         "должно кончаться путём: то, что после ? или #, здесь ничего не значит",
}

const urlForms = "пишите memory:, sqlite:ПУТЬ, postgres://ХОСТ/БАЗА, mysql://ХОСТ/БАЗА, redis://ХОСТ:ПОРТ, etcd://ХОСТ:ПОРТ/ПРЕФИКС, http://ХОСТ:ПОРТ или https://ХОСТ"

// fileProblems are about the file of a store, its backup and what restores it.
var fileProblems = map[string]string{
	"empty_path":        "не указан путь к файлу базы",
	"memory_file":       "нужен файл; без файла работает хранилище memory:",
	"no_folder":         "нет папки %s",
	"no_such_file":      "такого файла нет; проверьте путь",
	"corrupt_file":      "файл повреждён или это не база SQLite; он оставлен как есть",
	"read_only_file":    "в файл нельзя писать: проверьте права на файл и папку",
	"unreadable_file":   "файл не открыть: проверьте путь и права",
	"locked_file":       "другая программа держит файл дольше %s",
	"disk_full":         "на диске нет места",
	"disk_full_for_shm": "на диске нет места: рядом не помещается файл -shm",
	"disk_failed":       "сбой диска",
	"file_replaced": "файл %s удалили или заменили, пока хранилище было открыто; больше ничего не читается и не пишется: " +
		"прежде чем остановить этот процесс, загляните в docs/runbook.md",
	"newer_tables": "версия таблиц — %s, а эта программа знает %s: возьмите editlock новее; файл не изменён",
	"older_tables": "таблицы версии %s — от прежнего editlock, а эта программа начинает с версии %s: укажите файл, которого ещё нет; " +
		"историю может записать прежняя программа: «editlock history --json»; файл не изменён",
	"other_encoding": "кодировку базы, %s, выбрала другая программа; годится только UTF-8: укажите другой файл; файл не изменён",
	"unsound_copy":   "копия неисправна: %s",
	"name_of_part":   "так SQLite называет часть хранилища; выберите имя, которое не кончается на %s",
	"backup_exists":  "уже есть; резервная копия ничего не заменяет",
	"not_a_backup":   "не резервная копия и не заменяется",
	"store_in_use":   "хранилище в работе (рядом файл -wal) и не заменяется",
	"store_itself":   "это само хранилище",
	"not_a_store":    "это не хранилище editlock: нет таблицы editlock_meta",
	"half_restored":  "%s; хранилищем сейчас пользоваться нельзя, прежнее — в %s: восстановите ещё раз",
}

// configProblems are about the configuration.
var configProblems = map[string]string{
	"at_line":                  "%s: строка %s: %s",
	"not_a_file":               "это не обычный файл",
	"unknown_key_like":         "%s здесь неизвестно; может быть, %s?",
	"unknown_key":              "%s здесь неизвестно; есть %s",
	"unknown_variable_like":    "в окружении есть неизвестная переменная %s; может быть, %s?",
	"unknown_variable":         "в окружении есть неизвестная переменная %s; есть %s",
	"setting_not_a_duration":   "нужен срок, например 30s или 8h, а не %s",
	"not_a_bool":               "допустимы true и false, а не %q",
	"negative_entries":         "допустимы 0 (все) и больше, а не %s",
	"negative_limit":           "допустимы 0 (без предела) и больше, а не %s",
	"holders_out_of_range":     "допустимо от %s до %s, а не %s",
	"limit_twice":              "для группы %q и вида %q, как и limit %s",
	"issuer_twice":             "издатель %q указан дважды",
	"issuer_incomplete":        "нужны name и audience",
	"several_keys":             "укажите что-то одно: jwks_url, secret_file или public_key_file",
	"unknown_certificate_user": "%q не бывает; бывает %s",
	"users_mixed": "пользователей %q и %q нельзя было бы отличить: дайте каждому user_prefix " +
		"(или один на двоих, если это одни и те же люди)",
}
