"""The essentials of the same tables."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, String, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

_MOMENT = DateTime(timezone=True)


class Base(DeclarativeBase):
    pass


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_latest", text("last_activity_at desc"), text("id desc")),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[str] = mapped_column(String, unique=True)
    channel: Mapped[str]
    message_count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_activity_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_thread", "conversation_id", "occurred_at", "id"),
        Index("messages_provider", "provider", "provider_message_id", unique=True),
        Index("messages_idempotency", "idempotency_key", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    direction: Mapped[str]
    channel: Mapped[str]
    from_address: Mapped[str]
    to_address: Mapped[str]
    body: Mapped[str]
    status: Mapped[str]
    provider: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(_MOMENT)
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())


class Delivery(Base):
    __tablename__ = "deliveries"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now(), index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    message: Mapped[Message] = relationship()


class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(_MOMENT, server_default=func.now())
    kind: Mapped[str]
    conversation_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[uuid.UUID]
