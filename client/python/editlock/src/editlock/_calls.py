"""What each call sends and how its answer is read, for clients of any kind."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Generic, Optional, TypeVar, Union
from urllib.parse import urlencode

from . import _forms as forms
from .credential import names_owner
from .errors import EditlockError, Invalid
from .owners import console_owner, current_owner
from .types import (
    ID,
    AutoRelease,
    Company,
    HistoryPage,
    Look,
    Looking,
    Mutex,
    Owner,
    Page,
    RefreshItem,
    Seconds,
    Sharing,
    State,
)

T = TypeVar("T")

#: Mutexes to release, each at its token where one is known.
Several = Union[Iterable[Union[ID, Mutex]], Mapping[ID, int]]

#: How soon a server that can is asked to answer a wait, in seconds: before
#: proxies commonly cut a request off.
ANSWERS_WITHIN = 25
#: Seconds a caller that gives a wait up stays to say so.
LEAVE_WITHIN = 2.0


class WaitsOn(Exception):
    """The answer to a capture that waits on: it is to be sent again."""


@dataclass
class Call(Generic[T]):
    """One call: what is sent, and what makes a result of the answer."""

    path: str  # with the query
    answer: Callable[[Any], T]
    body: Optional[dict[str, Any]] = None  # None: GET
    key: str = ""  # Idempotency-Key
    wait: float = 0.0  # seconds the server may take beyond its usual time
    short: bool = False  # the server is known to answer before the wait is over
    leaves: bool = False  # who gives it up leaves the queue: nobody else has its key
    first: Optional[float] = None  # when it was sent first, by time.monotonic
    background: bool = False  # nobody waits for its answer once the client is closed

    @property
    def ends_with_client(self) -> bool:
        """Whether closing the client ends it, though the answer may be under way."""
        return self.wait > 0 or self.background

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def asks_for(self) -> Optional[ID]:
        """The one mutex that it names."""
        named = (self.body or {}).get("mutex")
        return None if named is None else forms.to_id(named)

    def prove(self, secret: str, owner_proved: bool) -> None:
        """Leaves the owner to the claims of a token, or a certificate, where nobody named them."""
        proved = names_owner(secret) or (owner_proved and not secret)
        if not proved or self.body is None or self.body.get("owner") != forms.from_owner(console_owner()):
            return
        del self.body["owner"]

    def headers(self) -> Mapping[str, str]:
        """Those of the try that is sent now: a repetition says that it is the same call, and how old."""
        headers = {"Prefer": f"respond-async, wait={ANSWERS_WITHIN}"} if self.wait else {}
        if not self.key:
            return headers
        now = time.monotonic()
        if self.first is None:
            self.first = now
        else:
            headers["Idempotency-Age"] = f"{now - self.first:.6f}s"
        return {**headers, "Idempotency-Key": self.key}

    def lasts(self, left: float) -> float:
        """Seconds that one answer may take, beyond the usual time, with so much of the wait left."""
        return max(min(left, ANSWERS_WITHIN) if self.short else left, 0.0)

    def withdrawal(self) -> Optional[Call[bool]]:
        """The call that gives up the place of a wait, or what it was granted."""
        if not self.leaves or self.body is None or self.first is None:
            return None
        body: dict[str, Any] = {"mutex": self.body["mutex"], "if": {"request": self.key}}
        if "owner" in self.body:
            body["owner"] = self.body["owner"]
        return Call("/v1/release", lambda answer: bool(answer["released"]), body)

    def shorten(self, left: float) -> None:
        """Makes a repetition wait until the same time, but never not at all."""
        if self.wait and self.body is not None:
            self.body["wait"] = forms.duration("wait", max(left, 0.001))


def request_id(given: str = "") -> str:
    """The key of a call: the caller's, or a new one that sorts by time."""
    if not given:
        return f"{int(time.time() * 1000):012x}-{uuid.uuid4().hex}"
    if not given.isascii() or not given.isprintable():
        raise Invalid("request_id", "must be printable ASCII")
    return given


def pause(tries: int, retry_after: float) -> float:
    """Seconds before another try: longer each time, and at random, so that a
    restarted server is not met by all at once."""
    usual: float = min(0.05 * 2 ** min(tries - 1, 10), 2.0)
    return usual * random.uniform(0.5, 1.0) + retry_after


def _acting(owner: Optional[Owner]) -> Owner:
    return current_owner() if owner is None else owner


def _condition(if_free: bool, if_status_data: Optional[str], if_token: Optional[int]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if if_free:
        given["free"] = True
    if if_status_data is not None:
        given["status_data"] = if_status_data
    if if_token is not None:
        given["token"] = if_token
    if len(given) > 1:
        raise Invalid("if", "gives more than one of if_free, if_status_data and if_token; give one")
    return {"if": given} if given else {}


def _options(status_data: str, auto_release: Optional[AutoRelease], grant_after: Optional[Seconds]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if status_data:
        body["status_data"] = status_data
    if auto_release is not None:
        body["auto_release"] = forms.from_auto_release(auto_release)
    if grant_after is not None:
        body["grant_after"] = forms.duration("grant_after", grant_after)
    return body


def _share(sharing: Optional[Sharing], limit: Optional[int]) -> dict[str, Any]:
    given = {"sharing": sharing, "limit": limit}
    return {name: value for name, value in given.items() if value is not None}


def _one(answer: Any) -> Mutex:
    if answer["state"] == "WAITING":
        raise WaitsOn
    return forms.to_mutex(answer["mutex"])


def provisional(mutex: Mutex) -> bool:
    """Whether it expires before its own terms say: it was granted after a wait, and is short until it is taken up."""
    if mutex.expires_at is None:
        return False
    ends = []
    if mutex.auto_release.idle is not None:
        ends.append(mutex.refreshed_at + timedelta(seconds=forms.seconds(mutex.auto_release.idle)))
    if mutex.auto_release.max_hold is not None:
        ends.append(mutex.captured_at + timedelta(seconds=forms.seconds(mutex.auto_release.max_hold)))
    return not ends or mutex.expires_at < min(ends) - timedelta(milliseconds=1)


def capture(
    id: ID,
    owner: Optional[Owner],
    status_data: str,
    auto_release: Optional[AutoRelease],
    if_free: bool,
    if_status_data: Optional[str],
    if_token: Optional[int],
    wait: Optional[Seconds],
    message: str,
    grant_after: Optional[Seconds],
    sharing: Optional[Sharing],
    limit: Optional[int],
    key: str,
) -> Call[Mutex]:
    body = {
        "mutex": forms.from_id(id),
        "owner": forms.from_owner(_acting(owner)),
        **_options(status_data, auto_release, grant_after),
        **_share(sharing, limit),
        **_condition(if_free, if_status_data, if_token),
    }
    if wait:
        body["wait"] = forms.duration("wait", wait)
    if message:
        body["message"] = message
    waits = forms.seconds(wait or 0)
    return Call("/v1/capture", _one, body, request_id(key), waits, leaves=waits > 0 and not key)


def capture_all(
    ids: Iterable[ID],
    owner: Optional[Owner],
    status_data: str,
    auto_release: Optional[AutoRelease],
    if_free: bool,
    grant_after: Optional[Seconds],
    sharing: Optional[Sharing],
    limit: Optional[int],
    key: str,
) -> Call[tuple[Mutex, ...]]:
    body = {
        "mutexes": [forms.from_id(id) for id in ids],
        "owner": forms.from_owner(_acting(owner)),
        **_options(status_data, auto_release, grant_after),
        **_share(sharing, limit),
        **_condition(if_free, None, None),
    }
    return Call("/v1/capture", lambda answer: forms.to_mutexes(answer["mutexes"]), body, request_id(key))


def refresh(
    items: Sequence[RefreshItem], owner: Optional[Owner], by_token: bool
) -> Call[list[tuple[Optional[Mutex], Optional[EditlockError]]]]:
    body: dict[str, Any] = {"items": [forms.from_item(item) for item in items]}
    if not by_token:
        body["owner"] = forms.from_owner(_acting(owner))

    def results(answer: Any) -> list[tuple[Optional[Mutex], Optional[EditlockError]]]:
        found = answer["results"]
        if len(found) != len(items):
            raise ValueError(f"{len(found)} results for {len(items)} items")
        return [(None, forms.to_error(form)) if "code" in form else (forms.to_mutex(form), None) for form in found]

    return Call("/v1/refresh", results, body)


def request(id: ID, owner: Optional[Owner]) -> Call[tuple[State, Optional[Mutex]]]:
    body: dict[str, Any] = {"mutex": forms.from_id(id)}
    asking = _acting(owner)
    if asking != Owner(session=""):
        body["owner"] = forms.from_owner(asking)
    return Call("/v1/request", forms.to_state, body)


def release(
    id: ID,
    owner: Optional[Owner],
    if_status_data: Optional[str],
    if_token: Optional[int],
    grace: Optional[Seconds],
) -> Call[bool]:
    body = {
        "mutex": forms.from_id(id),
        "owner": forms.from_owner(_acting(owner)),
        **_condition(False, if_status_data, if_token),
    }
    if grace is not None:
        body["grace"] = forms.duration("grace", grace)
    return Call("/v1/release", lambda answer: bool(answer["released"]), body, request_id())


def _released(answer: Any) -> tuple[ID, ...]:
    return tuple(forms.to_id(id) for id in answer["mutexes"])


def release_all(mutexes: Several, owner: Optional[Owner]) -> list[Call[tuple[ID, ...]]]:
    """The calls that release several: a call each for those whose token is given, as the server asks."""
    ids: list[ID] = []
    calls: list[Call[tuple[ID, ...]]] = []
    for one in mutexes.items() if isinstance(mutexes, Mapping) else mutexes:
        if isinstance(one, ID):
            ids.append(one)
            continue
        id, token = (one.id, one.token) if isinstance(one, Mutex) else one
        calls.append(_release_one(release(id, owner, None, token, None), id))
    if ids or not calls:
        body = {"mutexes": [forms.from_id(id) for id in ids], "owner": forms.from_owner(_acting(owner))}
        calls.insert(0, Call("/v1/release", _released, body, request_id()))
    return calls


def _release_one(call: Call[bool], id: ID) -> Call[tuple[ID, ...]]:
    return Call(call.path, lambda answer: (id,) if call.answer(answer) else (), call.body, call.key)


def ping() -> Call[None]:
    def answer(form: Any) -> None:
        if form["status"] != "ok":
            raise ValueError(f"the status {form['status']!r}")

    return Call("/readyz", answer)


def release_session(session: str, owner: Optional[Owner]) -> Call[tuple[ID, ...]]:
    body: dict[str, Any] = {"session": session}
    if owner is not None:
        body["owner"] = forms.from_owner(owner)
    return Call("/v1/release-session", _released, body, request_id())


def takeover(
    id: ID,
    seen_token: int,
    reason: str,
    owner: Optional[Owner],
    status_data: str,
    auto_release: Optional[AutoRelease],
    grant_after: Optional[Seconds],
    key: str,
) -> Call[Mutex]:
    body = {
        "mutex": forms.from_id(id),
        "owner": forms.from_owner(_acting(owner)),
        "seen_token": seen_token,
        "reason": reason,
        **_options(status_data, auto_release, grant_after),
    }
    return Call("/v1/takeover", _one, body, request_id(key))


def force_release(id: ID, seen_token: int, reason: str, owner: Optional[Owner]) -> Call[None]:
    body = {
        "mutex": forms.from_id(id),
        "owner": forms.from_owner(_acting(owner)),
        "seen_token": seen_token,
        "reason": reason,
    }
    return Call("/v1/force-release", lambda answer: None, body, request_id())


def hand_over(id: ID, owner: Optional[Owner]) -> Call[bool]:
    body = {"mutex": forms.from_id(id), "owner": forms.from_owner(_acting(owner))}
    return Call("/v1/hand-over", lambda answer: bool(answer["handed_over"]), body, request_id())


def decline(id: ID, waiter: str, message: str, owner: Optional[Owner]) -> Call[bool]:
    body = {"mutex": forms.from_id(id), "owner": forms.from_owner(_acting(owner)), "waiter": waiter}
    if message:
        body["message"] = message
    return Call("/v1/decline", lambda answer: bool(answer["declined"]), body, request_id())


def _query(path: str, params: Mapping[str, Any]) -> str:
    given = {name: value for name, value in params.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path


#: How many records the server is asked about at a time.
_RECORDS = 100


def looking(ids: Iterable[ID], owner: Optional[Owner]) -> list[Call[tuple[Looking, ...]]]:
    """The calls that tell who edits some records, and who looks at them."""
    all, asking = list(ids), _acting(owner)
    return [_looking(all[at : at + _RECORDS], asking) for at in range(0, len(all), _RECORDS)]


def look(page: str, looks: Iterable[Look], owner: Optional[Owner]) -> Call[tuple[Company, ...]]:
    shown = list(looks)
    body = {
        "owner": forms.from_owner(_acting(owner)),
        "page": page,
        "looks": [forms.from_look(one) for one in shown],
    }

    def results(answer: Any) -> tuple[Company, ...]:
        found = answer["results"]
        if len(found) != len(shown):
            raise ValueError(f"{len(found)} results for {len(shown)} looks")
        return tuple(forms.to_company(one.id, form) for one, form in zip(shown, found))

    return Call("/v1/presence", results, body)


def _looking(ids: Sequence[ID], asking: Owner) -> Call[tuple[Looking, ...]]:
    body: dict[str, Any] = {"mutexes": [forms.from_id(id) for id in ids]}
    if asking != Owner(session=""):
        body["owner"] = forms.from_owner(asking)

    def results(answer: Any) -> tuple[Looking, ...]:
        found = answer["results"]
        if len(found) != len(ids):
            raise ValueError(f"{len(found)} results for {len(ids)} mutexes")
        return tuple(forms.to_looking(id, form) for id, form in zip(ids, found))

    return Call("/v1/presence-query", results, body)


def list_mutexes(
    group: str, mode: str, session: str, user_id: str, text: str, limit: Optional[int], cursor: Optional[str]
) -> Call[Page]:
    path = _query(
        "/v1/mutexes",
        {
            "group": group,
            "mode": mode,
            "session": session,
            "user_id": user_id,
            "text": text,
            "limit": limit,
            "cursor": cursor,
        },
    )
    return Call(path, forms.to_page)


def _named(id: Optional[ID], tree: bool, group: str, mode: str) -> dict[str, Any]:
    if id is None:
        if tree:
            raise Invalid("tree", "goes with an id: it stands for all that is below it")
        return {"group": group, "mode": mode}
    if group or mode:
        raise Invalid("id", "goes without group and mode: it has its own")
    if not (id.id or id.below):
        raise Invalid("id", "must not be empty")
    named = forms.from_id(id)
    if id.below:
        named["below"] = "true"
    if tree:
        named["tree"] = "true"
    return named


def history(
    id: Optional[ID],
    tree: bool,
    group: str,
    mode: str,
    user_id: str,
    kinds: Iterable[str],
    start: Optional[datetime],
    end: Optional[datetime],
    text: str,
    limit: Optional[int],
    cursor: Optional[str],
) -> Call[HistoryPage]:
    path = _query(
        "/v1/history",
        {
            **_named(id, tree, group, mode),
            "user_id": user_id,
            "kind": ",".join(kinds),
            "from": _moment("start", start),
            "to": _moment("end", end),
            "text": text,
            "limit": limit,
            "cursor": cursor,
        },
    )
    return Call(path, forms.to_history)


def _moment(field: str, at: Optional[datetime]) -> str:
    if at is None:
        return ""
    if at.tzinfo is None:
        raise Invalid(field, "has no time zone; use an aware datetime, such as datetime.now(timezone.utc)")
    return at.isoformat()


def events(id: Optional[ID], tree: bool, group: str, mode: str, session: str, after: Optional[int]) -> str:
    """The path of a stream of events."""
    return _query("/v1/events", {**_named(id, tree, group, mode), "session": session, "after": after})
