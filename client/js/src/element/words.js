// The element's texts, each in English and in Russian. {name} is filled in. A key that ends with
// .reads replaces the key without it where the person only reads.

export const languages = /** @type {const} */ (['en', 'ru']);

/** @type {Record<string, string[]>} */
export const words = {
  'action.continue': [
    'Continue here',
    'Продолжить здесь',
  ],
  'action.edit': [
    'Start editing',
    'Начать правку',
  ],
  'action.edit.reads': [
    'Start reading',
    'Начать чтение',
  ],
  'action.leave': [
    'Stop waiting',
    'Не ждать',
  ],
  'action.notify': [
    'Notify me of requests',
    'Уведомлять о просьбах',
  ],
  'action.retry': [
    'Try again',
    'Ещё раз',
  ],
  'action.stop': [
    'Stop editing',
    'Закончить правку',
  ],
  'action.stop.reads': [
    'Stop reading',
    'Закончить чтение',
  ],
  'action.take': [
    'Take over',
    'Перехватить',
  ],
  'action.takeover': [
    'Take over…',
    'Перехватить…',
  ],
  'action.wait': [
    'Wait in the queue',
    'Встать в очередь',
  ],
  'ask.cancel': [
    'Cancel',
    'Отмена',
  ],
  'ask.decline.hint': [
    '{name} leaves the queue and sees your answer.',
    '{name} выходит из очереди и видит ваш ответ.',
  ],
  'ask.decline.label': [
    'Answer (optional)',
    'Ответ (необязательно)',
  ],
  'ask.decline.ok': [
    'Send',
    'Отправить',
  ],
  'ask.decline.title': [
    'Not now',
    'Не сейчас',
  ],
  'ask.takeover.hint': [
    '{name} is told at once and can no longer save. The reason goes into the history.',
    '{name} сразу узнает об этом и больше не сможет сохранять. Причина останется в истории.',
  ],
  'ask.takeover.hint.reads': [
    '{name} is told at once. The reason goes into the history.',
    '{name} сразу узнает об этом. Причина останется в истории.',
  ],
  'ask.takeover.label': [
    'Reason',
    'Причина',
  ],
  'ask.takeover.ok': [
    'Take over',
    'Перехватить',
  ],
  'ask.takeover.title': [
    'Take over from {name}',
    'Перехватить: {name}',
  ],
  'ask.wait.hint': [
    'You get the document when it is free, in the order of the queue. You may tell {name} what you need.',
    'Документ станет вашим, когда освободится, в порядке очереди. Можно написать, что вам нужно; это увидит {name}.',
  ],
  'ask.wait.label': [
    'Message (optional)',
    'Сообщение (необязательно)',
  ],
  'ask.wait.ok': [
    'Wait',
    'Ждать',
  ],
  'ask.wait.title': [
    'Wait for {name}',
    'Ждать: {name}',
  ],
  'banner.label': [
    'Who is editing',
    'Кто редактирует',
  ],
  'beside': [
    'Also reading: {names}.',
    'Читают также: {names}.',
  ],
  'beside.more': [
    'Also reading: {names} and {count} more.',
    'Читают также: {names} и ещё {count}.',
  ],
  'continue.reason': [
    'continued in another tab',
    'продолжено в другой вкладке',
  ],
  'kept.copied': [
    'Copied',
    'Скопировано',
  ],
  'kept.copy': [
    'Copy',
    'Копировать',
  ],
  'kept.copy.field': [
    'Copy: {field}',
    'Копировать: {field}',
  ],
  'kept.copyall': [
    'Copy all',
    'Копировать всё',
  ],
  'kept.discard': [
    'Discard',
    'Удалить',
  ],
  'kept.download': [
    'Download',
    'Скачать',
  ],
  'kept.empty': [
    '(empty)',
    '(пусто)',
  ],
  'kept.marked': [
    'What differs from the stored text is marked.',
    'Отличия от сохранённого выделены.',
  ],
  'kept.restore': [
    'Put it into the form',
    'Вернуть в форму',
  ],
  'kept.safe.false': [
    'This browser could not store it: download or copy it before you close or reload this page.',
    'Этот браузер не смог его сохранить: скачайте или скопируйте текст, прежде чем закрыть или обновить страницу.',
  ],
  'kept.safe.null': [
    'Being stored in this browser…',
    'Сохраняем в этом браузере…',
  ],
  'kept.safe.true': [
    'Kept in this browser until you discard it.',
    'Хранится в этом браузере, пока вы его не удалите.',
  ],
  'kept.since': [
    'Typed up to {at}.',
    'Набран до {at}.',
  ],
  'kept.stored': [
    'Stored now:',
    'Сейчас сохранено:',
  ],
  'kept.title': [
    'Your unsaved text',
    'Ваш несохранённый текст',
  ],
  'kind.agent': [
    'agent',
    'агент',
  ],
  'kind.for': [
    ' for {of}',
    ', от имени: {of}',
  ],
  'kind.job': [
    'job',
    'задание',
  ],
  'notice.title': [
    '{name} is waiting for you',
    'Вас ждёт {name}',
  ],
  'state.checking': [
    'Checking whether this is still yours…',
    'Проверяем, за вами ли ещё документ…',
  ],
  'state.checking.limited': [
    'The server has not confirmed this for too long, as it limits requests, so others may be editing this now. You can continue once the server answers.',
    'Сервер слишком долго не подтверждает вашу блокировку: он ограничивает запросы. Документ уже могут редактировать другие. Продолжить можно, когда сервер ответит.',
  ],
  'state.checking.offline': [
    'No connection for too long, so others may be editing this now. You can continue once the server answers.',
    'Связи нет слишком долго, документ уже могут редактировать другие. Продолжить можно, когда сервер ответит.',
  ],
  'state.closed': [
    'Not open for editing',
    'Не открыто для правки',
  ],
  'state.error': [
    'The server refused: {problem}',
    'Сервер отказал: {problem}',
  ],
  'state.error.forbidden': [
    'You may not edit this',
    'Вам нельзя это редактировать',
  ],
  'state.error.forbidden.reads': [
    'You may not keep others from changing this',
    'Вам нельзя закрывать это от правки',
  ],
  'state.error.unauthenticated': [
    'You are signed out, so this page is read-only. Sign in again, for example in another tab, and try again.',
    'Вы вышли из системы, поэтому страница только для чтения. Войдите снова, например в другой вкладке, и попробуйте ещё раз.',
  ],
  'state.free': [
    'Nobody is editing this now',
    'Сейчас никто не редактирует',
  ],
  'state.free.detail': [
    'You see the latest text.',
    'Вы видите последний сохранённый текст.',
  ],
  'state.hidden': [
    'The lock server does not let pages of {origin} call it. Its settings must name this site: [http] origins = ["{origin}"]. Trying again…',
    'Сервер блокировок не отвечает страницам {origin}. Этот сайт нужно указать в его настройках: [http] origins = ["{origin}"]. Пробуем снова…',
  ],
  'state.limited': [
    'The server limits the number of requests. Trying again…',
    'Сервер ограничивает число запросов. Пробуем снова…',
  ],
  'state.lost.expired': [
    'The server had not heard from this page for too long, so the document was released',
    'Эта страница слишком долго не выходила на связь, и сервер освободил документ',
  ],
  'state.lost.force_released': [
    '{name} ended your editing at {at}',
    'Ваша блокировка снята в {at}: {name}',
  ],
  'state.lost.force_released.reads': [
    '{name} ended your reading at {at}',
    'Ваше чтение прервано в {at}: {name}',
  ],
  'state.lost.handed_over': [
    'You handed this over to {name}',
    'Документ передан: {name}',
  ],
  'state.lost.handed_over.reads': [
    'You made way for the next in the queue',
    'Вы уступили следующему в очереди',
  ],
  'state.lost.inactive': [
    'You had not typed for a while, so this page released the document',
    'Вы давно ничего не вводили, и страница освободила документ',
  ],
  'state.lost.inactive.reads': [
    'Nobody had used this page for a while, so it released the document',
    'Этой страницей давно не пользовались, и она освободила документ',
  ],
  'state.lost.kept': [
    'Your unsaved text is kept below.',
    'Несохранённый текст остался ниже.',
  ],
  'state.lost.passed': [
    'This passed to {name} at {at}, as the request was not answered',
    'Документ перешёл дальше в {at}, так как ответа не было. Теперь его держит {name}',
  ],
  'state.lost.readonly': [
    'This page is read-only now.',
    'Эта страница теперь только для чтения.',
  ],
  'state.lost.readonly.reads': [
    'Others can change it now.',
    'Теперь его могут менять другие.',
  ],
  'state.lost.reason': [
    'Reason: “{reason}”.',
    'Причина: «{reason}».',
  ],
  'state.lost.released': [
    'This was released from another page',
    'Документ освобождён с другой страницы',
  ],
  'state.lost.self': [
    'You continued this in another tab at {at}',
    'Вы продолжили в другой вкладке в {at}',
  ],
  'state.lost.taken_over': [
    '{name} took this over at {at}',
    'Теперь редактирует {name}: перехват в {at}',
  ],
  'state.lost.taken_over.reads': [
    '{name} took your place at {at}',
    'Ваше место занято в {at}: {name}',
  ],
  'state.lost.upgraded': [
    'You began to edit this from another page',
    'Вы начали править это с другой страницы',
  ],
  'state.mine': [
    'You have been editing this since {since}',
    'Вы редактируете с {since}',
  ],
  'state.mine.reads': [
    'You have been reading this since {since}',
    'Вы читаете с {since}',
  ],
  'state.mine.back': [
    'You were away for a while. Nobody changed the document; you can continue.',
    'Вас какое-то время не было. Документ никто не изменил, можно продолжать.',
  ],
  'state.mine.back.reads': [
    'You were away for a while. Nobody changed the document.',
    'Вас какое-то время не было. Документ никто не изменил.',
  ],
  'state.mine.detail': [
    'Others see your name here. It is free again as soon as you leave this page.',
    'Остальные видят здесь ваше имя. Документ освободится, как только вы уйдёте со страницы.',
  ],
  'state.mine.detail.reads': [
    'Nobody can change it until you leave this page.',
    'Пока вы на этой странице, документ никто не изменит.',
  ],
  'state.mine.drain': [
    '{name} has been waiting for all of this since {since}. Nobody else gets any of it now.',
    '{name} ждёт, когда освободится всё это, с {since}. Другим это пока недоступно.',
  ],
  'state.mine.drain.message': [
    '{name} has been waiting for all of this since {since}: “{message}”',
    '{name} ждёт, когда освободится всё это, с {since}: «{message}»',
  ],
  'state.mine.granted': [
    'It is your turn. The latest text is loaded.',
    'Ваша очередь. Загружен последний сохранённый текст.',
  ],
  'state.mine.inactive': [
    'You have not typed for a while: the document is released at {at}. Press any key to keep it.',
    'Вы давно ничего не вводили: в {at} документ освободится. Нажмите любую клавишу, чтобы оставить его за собой.',
  ],
  'state.mine.inactive.reads': [
    'Nobody has used this page for a while: the document is released at {at}. Press any key to go on reading.',
    'Этой страницей давно не пользовались: в {at} документ освободится. Нажмите любую клавишу, чтобы читать дальше.',
  ],
  'state.mine.limited': [
    'The server limits the number of requests. You can keep typing until {until}.',
    'Сервер ограничивает число запросов. Можно печатать до {until}.',
  ],
  'state.mine.limited.reads': [
    'The server limits the number of requests. Nobody can change it until {until}.',
    'Сервер ограничивает число запросов. До {until} документ никто не изменит.',
  ],
  'state.mine.offline': [
    'No connection. You can keep typing until {until}.',
    'Нет связи. Можно печатать до {until}.',
  ],
  'state.mine.offline.reads': [
    'No connection. Nobody can change it until {until}.',
    'Нет связи. До {until} документ никто не изменит.',
  ],
  'state.mine.queue': [
    'Waiting for you: {count}.',
    'Вас ждут: {count}.',
  ],
  'state.offline': [
    'No connection to the server. Trying again…',
    'Нет связи с сервером. Пробуем ещё раз…',
  ],
  'state.opening': [
    'Opening…',
    'Открываем…',
  ],
  'state.other': [
    '{name} has been editing this since {since}',
    '{name} редактирует с {since}',
  ],
  'state.other.all': [
    '{name} has been working on all documents like this since {since}',
    '{name} работает со всеми такими документами с {since}',
  ],
  'state.other.closed': [
    'Somebody is waiting for all of this, so nobody else can start now',
    'Кто-то ждёт документ целиком, поэтому начать правку пока нельзя',
  ],
  'state.other.part': [
    '{name} has been working on a part of this, “{part}”, since {since}',
    '{name} работает с частью документа «{part}» с {since}',
  ],
  'state.other.reads': [
    '{name} has been reading this since {since}',
    '{name} читает с {since}',
  ],
  'state.other.changed': [
    'Somebody was faster: the document has changed hands. Look again before you take over.',
    'Вас опередили: документ уже у другого. Посмотрите ещё раз, прежде чем перехватывать.',
  ],
  'state.other.declined': [
    '{name} can\'t hand over yet.',
    '{name} пока не может уступить.',
  ],
  'state.other.declined.message': [
    '{name} can\'t hand over yet: “{message}”',
    '{name} пока не может уступить: «{message}»',
  ],
  'state.other.detail': [
    'You can read it, but not change it.',
    'Вы можете читать, но не менять.',
  ],
  'state.other.detail.reads': [
    'You can read it, but it may change meanwhile.',
    'Вы можете читать, но документ может измениться.',
  ],
  'state.other.queue': [
    'You can read it, but not change it. Waiting already: {count}.',
    'Вы можете читать, но не менять. Уже ждут: {count}.',
  ],
  'state.other.queue.reads': [
    'You can read it, but it may change meanwhile. Waiting already: {count}.',
    'Вы можете читать, но документ может измениться. Уже ждут: {count}.',
  ],
  'state.other.forbidden': [
    'You may not take over.',
    'Вам нельзя перехватывать.',
  ],
  'state.other.timeout': [
    'You have waited for a long time and are no longer in the queue.',
    'Ожидание было слишком долгим, вы больше не в очереди.',
  ],
  'state.other.whole': [
    '{name} has been working on the whole document since {since}',
    '{name} работает со всем документом с {since}',
  ],
  'state.self': [
    'You have been editing this in another tab since {since}',
    'Вы сами редактируете это в другой вкладке с {since}',
  ],
  'state.self.reads': [
    'You have been reading this in another tab since {since}',
    'Вы сами читаете это в другой вкладке с {since}',
  ],
  'state.self.browser': [
    'You have been editing this in another browser since {since}',
    'Вы сами редактируете это в другом браузере с {since}',
  ],
  'state.self.browser.reads': [
    'You have been reading this in another browser since {since}',
    'Вы сами читаете это в другом браузере с {since}',
  ],
  'state.self.detail': [
    'Continue there or here; if you continue here, the other page becomes read-only and keeps its text.',
    'Продолжайте там или здесь. Если продолжить здесь, другая страница станет только для чтения, а её текст сохранится.',
  ],
  'state.self.detail.reads': [
    'If you continue here, the other page no longer keeps others from changing it.',
    'Если продолжить здесь, та страница больше не закроет документ от правки.',
  ],
  'state.waiting': [
    'You are number {position} in the queue',
    'Ваш номер в очереди: {position}',
  ],
  'state.waiting.around': [
    'You are in the queue',
    'Вы в очереди',
  ],
  'state.waiting.detail': [
    '{name} has been editing since {since}. You get the document as soon as it is free; keep this page open.',
    '{name} редактирует с {since}. Документ станет вашим, как только освободится; не закрывайте страницу.',
  ],
  'state.waiting.detail.reads': [
    '{name} has been reading since {since}. You get the document as soon as nobody reads it; keep this page open.',
    '{name} читает с {since}. Документ станет вашим, как только его никто не будет читать; не закрывайте страницу.',
  ],
  'state.waiting.far': [
    'You are in the queue of {count}',
    'Вы в очереди; всего ждут: {count}',
  ],
  'state.waiting.granted': [
    '{name} has been editing since {since}. If there is no answer, the document comes to you at {at}.',
    '{name} редактирует с {since}. Если ответа не будет, документ перейдёт к вам в {at}.',
  ],
  'state.waiting.granted.reads': [
    '{name} has been reading since {since}. If there is no answer, the document comes to you at {at}.',
    '{name} читает с {since}. Если ответа не будет, документ перейдёт к вам в {at}.',
  ],
  'state.waiting.joining': [
    'Joining the queue…',
    'Встаём в очередь…',
  ],
  'take.reason': [
    'A person takes over from the agent.',
    'Работу агента продолжает человек.',
  ],
  'typed.safe': [
    'Your text is kept in this browser.',
    'Ваш текст хранится в этом браузере.',
  ],
  'typed.unsafe': [
    'This browser can\'t store your unsaved text: copy it elsewhere before you close or reload this page.',
    'Этот браузер не может хранить несохранённый текст: скопируйте его, прежде чем закрыть или обновить страницу.',
  ],
  'waiters.decline': [
    'Not now…',
    'Не сейчас…',
  ],
  'waiters.decline.name': [
    'Not now: answer {name}',
    'Не сейчас: ответ для {name}',
  ],
  'waiters.handover': [
    'Hand over now',
    'Передать сейчас',
  ],
  'waiters.handover.reads': [
    'Make way now',
    'Уступить сейчас',
  ],
  'waiters.handover.save': [
    'Save and hand over',
    'Сохранить и передать',
  ],
  'waiters.more': [
    'and {count} more',
    'и ещё {count}',
  ],
  'waiters.passes': [
    'passes at {at} unless you answer',
    'перейдёт в {at}, если не ответить',
  ],
  'waiters.since': [
    'since {since}',
    'с {since}',
  ],
  'waiters.title': [
    'Waiting for you',
    'Вас ждут',
  ],
};
