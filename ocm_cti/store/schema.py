"""Tables. SQLite today, PostgreSQL for several nodes: nothing here is peculiar to one of them.

Times are aware UTC, kept as ISO text of fixed width so that they compare and read the same on both.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


#: The largest number that a column of ids holds; a larger one is nobody's.
LARGEST_ID = 2**31 - 1


class Moment(TypeDecorator[datetime]):
    """Aware UTC in Python; ``2026-11-22T03:00:00.000000`` in the database. A naive time is refused."""

    impl = String(26)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


prepared_list = Table(
    "list",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    # Which column of his files is what, as the user has said: heading -> field.
    Column("mapping", JSON, nullable=False, server_default=text("'{}'")),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list_id", ForeignKey("list.id"), nullable=False),
    # External id, else the first number: what a re-import finds the person by.
    Column("key", String(200), nullable=False),
    Column("name", String(300), nullable=False),
    Column("variables", JSON, nullable=False),
    Column("priority", Integer),  # None: the list's
    Column("groups", JSON, nullable=False, server_default=text("'[]'")),
    Column("zone", String(60), nullable=False, server_default=""),  # IANA; "": by his number, else the list's
    Column("scenario", String(100), nullable=False, server_default=""),  # the name of his own; "": the list's
    Column("note", Text, nullable=False, server_default=""),
    # Taken off the list; the row stays for the reports of campaigns that called him.
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("list_id", "key"),
    Index("ix_subscriber_page", "list_id", "id"),  # a list is shown by the page
    Index("ix_subscriber_list", "list_id", "gone"),  # how many they are
)

subscriber_number = Table(
    "subscriber_number",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscriber.id"), nullable=False),
    Column("place", Integer, nullable=False),  # from 0, in the order of calling
    Column("number", String(20), nullable=False, index=True),  # E.164
    Column("kind", String(20), nullable=False, server_default=""),
    # The network said that it does not exist; cleared when a re-import changes it.
    Column("invalid", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("subscriber_id", "place"),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list_id", ForeignKey("list.id"), nullable=False),
    Column("state", String(20), nullable=False),  # running, paused, stopping, done
    Column("scenario", Text, nullable=False),  # frozen at the start
    Column("settings", Text, nullable=False),  # ListSettings as JSON, frozen
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("paused_why", String(300), nullable=False, server_default=""),
    Column("resumed_at", Moment),  # faults of before are none of its breaker's any more
    Column("test", Boolean, nullable=False, server_default=text("false")),  # of testers only; no follow-up looks at it
    # Scenarios of their own that some of its people have, by name; frozen like the other.
    Column("own_scenarios", JSON, nullable=False, server_default=text("'{}'")),
    Column(
        "override_why", String(300), nullable=False, server_default=""
    ),  # why windows and caps don't hold; "": they do
)

task = Table(
    "task",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign_id", ForeignKey("campaign.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscriber.id"), nullable=False),
    # Frozen with the campaign: a re-import in the middle must not change what an attempt meant.
    Column("name", String(300), nullable=False),
    Column("variables", JSON, nullable=False),
    Column("numbers", JSON, nullable=False),  # E.164, in the order of calling
    Column("priority", Integer, nullable=False),
    Column("zone", String(60), nullable=False, server_default=""),  # his own; "": the list's
    Column("scenario", String(100), nullable=False, server_default=""),  # his own among ``own_scenarios``
    Column("state", String(10), nullable=False),  # preparing, waiting, calling, done
    Column("due_at", Moment, nullable=False),
    Column("number_index", Integer, nullable=False),
    Column("why", String(40), nullable=False),  # what a waiting task waits for
    Column("outcome", String(20)),
    Column("done_at", Moment),
    UniqueConstraint("campaign_id", "subscriber_id"),
    # The one query that must stay fast at a million tasks: the next due of a campaign.
    Index(
        "ix_task_waiting",
        "campaign_id",
        "priority",
        "zone",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    # What a screen asks for, page by page; how many of them there are is counted in the first alone.
    Index("ix_task_campaign", "campaign_id", "id"),
    Index("ix_task_state", "campaign_id", "state", "outcome", "id"),
    Index("ix_task_name", "campaign_id", "name", "id"),
    # Whether a campaign has an open task left is asked at the end of every attempt.
    Index(
        "ix_task_open",
        "campaign_id",
        sqlite_where=text("state <> 'done'"),
        postgresql_where=text("state <> 'done'"),
    ),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("task_id", ForeignKey("task.id"), nullable=False, index=True),
    Column("attempt_no", Integer, nullable=False),  # from 1 within the task
    Column("node", String(100), nullable=False),
    Column("gateway", String(100), nullable=False),
    Column("port", String(40), nullable=False),
    Column("number", String(20), nullable=False),
    Column("number_index", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("native_id", String(100)),
    Column("claimed_at", Moment, nullable=False),
    Column("placing_at", Moment),
    Column("dialing_at", Moment),
    Column("ringing_at", Moment),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", String(20)),
    Column("cause", String(20)),
    Column("native_cause", String(200)),
    Column("ended_by", String(10)),
    Column("certain", Boolean),  # False: only a timer says that somebody answered
    Column("heard_ms", Integer),
    Column("of_ms", Integer),
    Column("keys", String(200)),
    UniqueConstraint("task_id", "attempt_no"),
    Index(
        "ix_attempt_in_flight",
        "node",
        sqlite_where=text("state <> 'finished'"),
        postgresql_where=text("state <> 'finished'"),
    ),
    # Which attempts a call record may be about.
    Index("ix_attempt_ended", "gateway", "ended_at"),
    # How often somebody was called lately.
    Index("ix_attempt_number", "number", "placing_at"),
)

answer = Table(
    "answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_id", ForeignKey("attempt.id"), nullable=False, index=True),
    Column("step", String(100), nullable=False),
    Column("value", Text),
    Column("recording", String(300)),  # file name in the folder of recordings
)

#: The person lock: one row for each number of a person who is being called, over all campaigns and nodes.
calling = Table(
    "calling",
    metadata,
    Column("number", String(20), primary_key=True),
    Column("attempt_id", ForeignKey("attempt.id"), nullable=False, index=True),
)

#: Whom not to call: one row for each number or pattern of each stop list.
stop_entry = Table(
    "stop_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list_name", String(100), nullable=False),
    Column("entry", String(40), nullable=False, index=True),  # E.164, or a pattern of it
    Column("is_pattern", Boolean, nullable=False),
    Column("reason", String(300), nullable=False),
    Column("added_at", Moment, nullable=False),
    UniqueConstraint("list_name", "entry"),
    # Patterns are read whole before each call; numbers are looked up.
    Index("ix_stop_entry_patterns", "entry", sqlite_where=text("is_pattern"), postgresql_where=text("is_pattern")),
)

#: When campaigns are started by the clock.
schedule = Table(
    "schedule",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list_id", ForeignKey("list.id"), nullable=False),
    Column("cron", String(100), nullable=False),
    Column("zone", String(60), nullable=False),
    Column("next_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("last_at", Moment),
    Column("last_result", String(300), nullable=False, server_default=""),  # what came of it then
    UniqueConstraint("list_id", "cron"),
)

#: Who did what that somebody may ask about later; written in the transaction of the deed itself.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("who", String(100), nullable=False),
    Column("deed", String(60), nullable=False),  # campaign.override, ...
    Column("subject", String(200), nullable=False),
    Column("details", JSON, nullable=False),
)

#: What the customer's own database has been told of a person, so that it is told once.
written_back = Table(
    "written_back",
    metadata,
    Column("task_id", ForeignKey("task.id"), primary_key=True),
    Column("what", String(64), nullable=False),  # a digest
)

#: What switches wrote down about calls: everybody's, not only ours. One row for a line, however often it is sent.
call_record = Table(
    "call_record",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("gateway", String(100), nullable=False),
    Column("source", String(10), nullable=False),  # smdr, csta
    Column("raw", String(1024), nullable=False),
    Column("copy", Integer, nullable=False),  # from 1; lines of one session that read the same
    Column("received_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("extension", String(40), nullable=False),
    Column("trunk", String(40), nullable=False),
    Column("number", String(100), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("ring_s", Integer),
    Column("duration_s", Integer),
    Column("cost", String(20)),  # a decimal number as text: no bill is rounded by a database
    Column("currency", String(10), nullable=False),
    Column("account", String(40), nullable=False),
    Column("condition", String(20), nullable=False),
    Column("fault", String(300), nullable=False),  # why it could not be read; "" when it could
    Column("attempt_id", ForeignKey("attempt.id"), index=True),
    UniqueConstraint("gateway", "source", "raw", "copy"),
    # Those without an attempt are looked through when an attempt ends.
    Index(
        "ix_call_record_unmatched",
        "gateway",
        "ended_at",
        sqlite_where=text("attempt_id IS NULL"),
        postgresql_where=text("attempt_id IS NULL"),
    ),
)

#: Who may use the panel.
account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),  # as he logs in, in small letters
    Column("role", String(20), nullable=False),  # domain.access.Role
    Column("lists", JSON, nullable=False, server_default=text("'[]'")),  # names of those he may see; []: all
    Column("password_hash", String(300), nullable=False),
    Column("must_change", Boolean, nullable=False, server_default=text("false")),
    Column("language", String(5), nullable=False, server_default=""),  # "": as his browser asks for
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # wrong passwords since the last right one
    Column("closed_until", Moment),  # after too many of them
)

#: Who is logged in, and from where.
panel_session = Table(
    "panel_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # the token itself only his browser has
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("address", String(60), nullable=False),
    Column("agent", String(200), nullable=False),
)

#: What other systems use the API with.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("prefix", String(12), nullable=False),  # what is shown of it
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scope", String(20), nullable=False),  # domain.access.Scope
    Column("made_by", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
)

#: Requests that must not be done twice, with what was answered.
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("caller", String(120), nullable=False),  # token:ID or account:ID
    Column("key", String(100), nullable=False),
    Column("request", String(64), nullable=False),  # a digest of what was asked for
    Column("answer", JSON),  # {"status", "body"}; None while it is being done
    Column("created_at", Moment, nullable=False, index=True),
    UniqueConstraint("caller", "key"),
)

#: Other systems that are told of events.
webhook = Table(
    "webhook",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", String(1000), nullable=False),
    Column("secret", String(100), nullable=False),  # both sides have it: it must be here in clear
    Column("events", JSON, nullable=False),  # names of domain.webhooks; []: all
    Column("lists", JSON, nullable=False),  # names; []: all
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("made_by", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
)

#: The outbox: what they are to be told, and what came of it.
webhook_message = Table(
    "webhook_message",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("message_id", String(40), nullable=False),  # by which the receiver knows it again
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),  # waiting, delivered, given_up
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("due_at", Moment, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("status", Integer),  # of the last try; None: there was no answer
    Column("error", String(300), nullable=False, server_default=""),
    Index(
        "ix_webhook_message_waiting",
        "webhook_id",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_webhook_message_webhook", "webhook_id", "id"),
)
