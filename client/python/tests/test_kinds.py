"""Agents and jobs, beyond what the scenarios replay."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from editlock import ID, Client, Forbidden, HeldByPerson, Lost, Owner, State
from editlock._forms import from_owner, to_error, to_owner
from editlock.tokens import mint
from editlock.words import called


@pytest.fixture
def assistant(ivan: Owner) -> Owner:
    """An agent in Ivan's own session."""
    return replace(ivan, name="Assistant", kind="agent", on_behalf_of=ivan.label)


def test_an_agent_is_not_the_person_whose_session_it_has(
    client: Client, invoice: ID, ivan: Owner, assistant: Owner
) -> None:
    held = client.capture(invoice, owner=ivan)
    assert client.request(invoice, owner=assistant)[0] is State.CAPTURED_BY_OTHER
    assert not held.owner.is_holder(assistant)
    assert held.owner.is_holder(ivan)
    for end in (client.takeover, client.force_release):
        with pytest.raises(HeldByPerson) as refused:
            end(invoice, held.token, "I need it", owner=assistant)
        assert (refused.value.holder.owner, refused.value.holder.token) == (ivan, held.token)
        assert isinstance(refused.value, Forbidden)


def test_a_person_takes_over_from_an_agent(client: Client, invoice: ID, ivan: Owner, assistant: Owner) -> None:
    held = client.capture(invoice, owner=assistant)
    assert held.owner == assistant
    client.takeover(invoice, held.token, "I edit this", owner=ivan)
    with pytest.raises(Lost) as lost:
        client.capture(invoice, owner=assistant, if_token=held.token)
    assert (lost.value.by, lost.value.reason) == (ivan, "I edit this")


def test_forms_leave_out_what_is_a_person() -> None:
    anna = Owner(session="s", name="Anna")
    assert set(from_owner(anna)) == {"session", "user_id", "login", "name", "host"}
    for owner in (anna, replace(anna, kind="agent", on_behalf_of="Boris"), replace(anna, kind="job")):
        assert to_owner(from_owner(owner)) == owner
    assert to_owner({**from_owner(anna), "kind": "robot"}) == anna  # of a newer server
    assert isinstance(to_error({"code": "held_by_person"}), Forbidden)


def test_tokens_say_what_is_no_person() -> None:
    def own(owner: Owner) -> Any:
        token = mint(b"s" * 32, issuer="shop", audience="editlock", owner=owner)
        body = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["editlock"]

    anna = Owner(session="s", user_id="17", name="Anna")
    assert own(anna) == {"session": "s"}
    agent = replace(anna, kind="agent", on_behalf_of="Anna")
    assert own(agent) == {"session": "s", "kind": "agent", "on_behalf_of": "Anna"}


@pytest.mark.parametrize(
    ("owner", "english", "russian"),
    [
        (Owner("s", name="Anna"), "Anna", "Anna"),
        (Owner("s", name="Helper", kind="agent"), "Helper (agent)", "Helper (агент)"),
        (
            Owner("s", name="Helper", kind="agent", on_behalf_of="Anna"),
            "Helper (agent for Anna)",
            "Helper (агент, от имени: Anna)",
        ),
        (
            Owner("s", name="import", kind="job", on_behalf_of="sales"),
            "import (job for sales)",
            "import (задание, от имени: sales)",
        ),
        (Owner("s", name="import", kind="job"), "import (job)", "import (задание)"),
    ],
)
def test_people_read_what_an_owner_is(owner: Owner, english: str, russian: str) -> None:
    assert called(owner) == english
    assert called(owner, language="ru") == russian
