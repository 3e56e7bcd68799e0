"""Many at once, from several processes to several processes: nothing twice, nothing lost, no error."""

from typing import Any

import asyncpg

from tests.contract.client import Api, email, number, sms, sms_webhook
from tests.contract.crowd import Order, send
from tests.contract.invariants import invariants_hold
from tests.contract.service import Service, running

SEND, HOOK = "/api/messages/sms", "/api/webhooks/sms"


async def test_200_sends_and_webhooks_on_one_pair_are_one_conversation(
    api: Api, service: Service, database: "asyncpg.Connection[Any]"
) -> None:
    """From four client processes to two web processes: one conversation, an exact count, no error."""
    them = number()
    sends = [Order(SEND, sms(recipient=them, body=f"out {n}")) for n in range(100)]
    hooks = [Order(HOOK, sms_webhook(sender=them, body=f"in {n}")) for n in range(100)]
    heard = await send(service.url, [order for pair in zip(sends, hooks, strict=True) for order in pair])
    assert {one.status for one in heard} == {202}
    (conversation,) = {one.json["conversation_id"] for one in heard}
    assert (await api.conversation(conversation))["message_count"] == 200
    thread = await api.thread(conversation)
    assert {message["id"] for message in thread} == {one.json["message_id"] for one in heard}
    assert len(thread) == 200
    await invariants_hold(database)


async def test_many_new_conversations_at_once_are_numbered_without_gaps(
    service: Service, database: "asyncpg.Connection[Any]"
) -> None:
    """Each pair twice, so that every conversation is opened by two who do not know of each other."""
    theirs = [number() for _ in range(100)]
    heard = await send(service.url, [Order(HOOK, sms_webhook(sender=them)) for them in theirs * 2])
    assert {one.status for one in heard} == {202}
    assert len({one.json["conversation_id"] for one in heard}) == 100
    await invariants_hold(database)


async def test_the_same_webhook_50_times_at_once_is_one_message(api: Api, service: Service) -> None:
    """50 answers 202, of which one is not a duplicate, and all name the same message."""
    event = sms_webhook()
    heard = await send(service.url, [Order(HOOK, event)] * 50)
    assert [one.status for one in heard] == [202] * 50
    assert len({one.json["message_id"] for one in heard}) == 1
    assert sum(not one.json["duplicate"] for one in heard) == 1
    assert (await api.conversation(heard[0].json["conversation_id"]))["message_count"] == 1


async def test_the_same_key_50_times_at_once_is_one_message(service: Service, api: Api) -> None:
    """One message, one answer; another body in the same crowd is a conflict, whoever comes first."""
    key = {"Idempotency-Key": f"key-{number()}"}
    order = sms()
    heard = await send(service.url, [Order(SEND, order, key)] * 50)
    assert [one.status for one in heard] == [202] * 50
    assert len({str(one.json) for one in heard}) == 1
    assert sum(not one.replayed for one in heard) == 1
    assert (await api.conversation(heard[0].json["conversation_id"]))["message_count"] == 1

    key = {"Idempotency-Key": f"key-{number()}"}
    them = number()
    rivals = [sms(recipient=them, body="one"), sms(recipient=them, body="two")]
    heard = await send(service.url, [Order(SEND, rival, key) for rival in rivals * 25])
    assert sorted(one.status for one in heard) == [202] * 25 + [409] * 25
    (won,) = {one.json["conversation_id"] for one in heard if one.status == 202}
    assert (await api.conversation(won))["message_count"] == 1


async def test_crowds_on_hot_conversations_do_not_deadlock(
    service: Service, database: "asyncpg.Connection[Any]"
) -> None:
    """Ten hot conversations in all orders, in both directions, in both channels."""
    theirs = [number() for _ in range(10)]
    orders = [Order(HOOK, sms_webhook(sender=theirs[n * 7 % 10])) for n in range(300)]
    orders += [Order(SEND, sms(recipient=theirs[n * 3 % 10])) for n in range(300)]
    orders += [Order("/api/messages/email", email()) for _ in range(60)]
    heard = await send(service.url, orders)
    assert {one.status for one in heard} == {202}
    assert (
        await database.fetchval("select deadlocks from pg_stat_database where datname = current_database()")
        == 0
    )
    await invariants_hold(database)


async def test_a_key_and_a_webhook_id_survive_a_restart(tmp_path_factory: Any, http: Any) -> None:
    """After the service was stopped and started again: the same answer, a conflict, a duplicate."""
    service = Service(tmp_path_factory.mktemp("restarted"))
    order, event, key = sms(), sms_webhook(), f"key-{number()}"
    async with running(service):
        api = Api(http, service.url)
        first = await api.accepted(SEND, order, Idempotency_Key=key)
        seen = await api.accepted(HOOK, event)
    async with running(service):
        again = await api.post(SEND, order, Idempotency_Key=key)
        assert again.json == first
        assert again.headers["Idempotent-Replayed"] == "true"
        assert (await api.post(SEND, order | {"body": "other"}, Idempotency_Key=key)).status == 409
        assert await api.accepted(HOOK, event) == seen | {"duplicate": True}
        assert (await api.get("/api/conversations")).json["meta"]["total"] == 2
