"""Two routes, each a transaction: find or open the conversation, add the message, count it."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.baseline.models import Base, Conversation, Delivery, Event, Message

engine = create_async_engine(os.environ["BASELINE_URL"], pool_size=20, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class SmsIn(BaseModel):
    sender: str = Field(alias="from")
    recipient: str = Field(alias="to")
    type: str
    body: str
    attachments: list[str] | None = None
    timestamp: datetime | None = None


class Webhook(SmsIn):
    messaging_provider_id: str


class Accepted(BaseModel):
    status: str = "accepted"
    message_id: uuid.UUID
    conversation_id: str
    duplicate: bool = False


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(1)))  # two processes start at once
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


@app.get("/healthz")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/webhooks/sms", status_code=202)
async def receive(webhook: Webhook, session: Session) -> Accepted:
    message = _message(webhook, "inbound", "received")
    message.provider, message.provider_message_id = "messaging", webhook.messaging_provider_id
    try:
        await _store(session, message)
    except IntegrityError:
        await session.rollback()
        message = await _first(session, webhook.messaging_provider_id)
        return Accepted(message_id=message.id, conversation_id=str(message.conversation_id), duplicate=True)
    return Accepted(message_id=message.id, conversation_id=str(message.conversation_id))


@app.post("/api/messages/sms", status_code=202)
async def send(order: SmsIn, session: Session) -> Accepted:
    message = _message(order, "outbound", "queued")
    session.add(Delivery(message=message))
    await _store(session, message)
    return Accepted(message_id=message.id, conversation_id=str(message.conversation_id))


def _message(sms: SmsIn, direction: str, status: str) -> Message:
    return Message(
        id=uuid.uuid4(), direction=direction, channel=sms.type, from_address=sms.sender,
        to_address=sms.recipient, body=sms.body, status=status, occurred_at=sms.timestamp or datetime.now(UTC),
    )  # fmt: skip


async def _store(session: AsyncSession, message: Message) -> None:
    conversation = await _conversation(session, message)
    message.conversation_id = conversation.id
    session.add(message)
    session.add(Event(kind="message.created", conversation_id=conversation.id, message_id=message.id))
    conversation.message_count += 1
    conversation.last_activity_at = func.now()
    await session.commit()


async def _conversation(session: AsyncSession, message: Message) -> Conversation:
    key = "sms:" + "<->".join(sorted([message.from_address, message.to_address]))
    wanted = select(Conversation).where(Conversation.key == key).with_for_update()
    with session.no_autoflush:
        found = await session.scalar(wanted)
        if found is None:
            await session.execute(
                insert(Conversation).values(key=key, channel="sms").on_conflict_do_nothing()
            )
            found = (await session.execute(wanted)).scalar_one()
    return found


async def _first(session: AsyncSession, provider_message_id: str) -> Message:
    wanted = select(Message).where(Message.provider_message_id == provider_message_id)
    return (await session.execute(wanted)).scalar_one()
