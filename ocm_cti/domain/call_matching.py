"""Which record of the switch is about which attempt of ours: pure functions over both.

A record fits an attempt when extension, number and time agree. SMDR prints the end of a call in whole minutes, the
clock of the PBX is its own, and the number may stand there without its access code, cut to the width of the column, or
with digits hidden; so each may be inexact, but a worse fit never wins over a better one. A record goes to one attempt;
an attempt has one record, and more only where the call was transferred: then the rest of it is another extension's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocm_cti.domain.call_records import CallRecord

#: Marks among the digits (pause, EFA, transfer, host PBX code) that nobody dialled.
_MARKS = str.maketrans("", "", "PFpf-= +")
_HIDDEN = ".Xx"
#: An access code has at most so many digits.
_ACCESS_DIGITS = 4
#: Fewer digits than this prove nothing.
_TELLING_DIGITS = 4
#: A number that is as long as the dial column of a pattern (20, 25, 50) may have been cut there.
_COLUMN_WIDTHS = (20, 25, 50)
TRANSFERRED = "TR"
_ANYBODY = "*"

EXACT, WITHOUT_ACCESS, CUT, HIDDEN = 4, 3, 2, 1


@dataclass(frozen=True)
class Matching:
    """How exact times must be: ``window_s`` for clocks that differ, ``resolution_s`` for what is not printed."""

    window_s: float = 180.0
    resolution_s: float = 60.0


@dataclass(frozen=True)
class Candidate:
    """An attempt that a record may be about. ``dialled`` are the digits that the switch was given.

    ``ended_at`` is None while its outcome is not in the ledger. ``has_record``: one was found before;
    ``was_transferred`` then says that the record (or the cause) tells of a transfer.
    """

    attempt_id: int
    extension: str
    dialled: str
    placed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    has_record: bool = False
    was_transferred: bool = False


def number_fit(recorded: str, dialled: str) -> int:
    """How well a recorded number is the dialled one: EXACT, WITHOUT_ACCESS, CUT, HIDDEN; 0: not at all."""
    digits = recorded.translate(_MARKS)
    if not digits or not dialled:
        return 0
    if any(mark in digits for mark in _HIDDEN):
        return HIDDEN if _hidden_fits(digits, dialled) else 0
    if digits == dialled:
        return EXACT
    for left_out in range(1, _ACCESS_DIGITS + 1):
        if len(digits) >= _TELLING_DIGITS and digits == dialled[left_out:]:
            return WITHOUT_ACCESS
    if len(recorded) in _COLUMN_WIDTHS and any(
        dialled[left_out:].startswith(digits) for left_out in range(_ACCESS_DIGITS + 1)
    ):
        return CUT
    return 0


def _hidden_fits(digits: str, dialled: str) -> bool:
    shown = digits.rstrip(_HIDDEN)
    open_ended = digits.endswith(".")  # secret dialling: how many there are is hidden as well
    for left_out in range(_ACCESS_DIGITS + 1):
        real = dialled[left_out:]
        pattern = shown if open_ended else digits
        if (len(real) >= len(pattern)) if open_ended else (len(real) == len(pattern)):
            pairs = zip(pattern, real, strict=False)
            if all(mark in _HIDDEN or mark == digit for mark, digit in pairs):
                return True
    return False


def seconds_apart(record: CallRecord, candidate: Candidate, matching: Matching) -> float | None:
    """How far the end of the record is from the attempt's; None when it is no record of it.

    For an attempt that is still going on: how long after the record it began, 0 if before.
    """
    if record.ended_at is None:
        return None
    earliest = record.ended_at
    latest = earliest + timedelta(seconds=matching.resolution_s if record.source == "smdr" else 0)
    window = timedelta(seconds=matching.window_s)
    if latest < candidate.placed_at - window:
        return None
    if candidate.ended_at is None:
        return max((candidate.placed_at - latest).total_seconds(), 0.0)
    if candidate.ended_at < earliest:
        apart = earliest - candidate.ended_at
    elif candidate.ended_at > latest:
        apart = candidate.ended_at - latest
    else:
        apart = timedelta(0)
    return apart.total_seconds() if apart <= window else None


def match(
    records: Mapping[int, CallRecord], candidates: Sequence[Candidate], matching: Matching | None = None
) -> dict[int, int]:
    """Record id -> attempt id, for those that have one; all of one gateway.

    The best pairs first: number, then whether both say that there was a conversation, then time. A record whose best
    attempt has not ended yet is left for later.
    """
    rules = matching or Matching()
    found: dict[int, int] = {}
    with_record = {each.attempt_id for each in candidates if each.has_record}
    transferred = {each.attempt_id for each in candidates if each.was_transferred}
    by_hour = _by_hour(candidates)
    pairs = []
    for record_id, record in records.items():
        if record.direction != "out" or record.fault:
            continue
        # A verified code (*123) stands in the place of the extension, which is then not told.
        extension = _ANYBODY if record.extension.startswith("*") else record.extension
        near = [each for hour in _hours_around(record, rules) for each in by_hour.get((extension, hour), ())]
        for candidate in near:
            fit = number_fit(record.number, candidate.dialled)
            apart = seconds_apart(record, candidate, rules) if fit else None
            if apart is not None:
                talked = (candidate.answered_at is not None) == bool(record.duration_s)
                pairs.append((-fit, not talked, apart, candidate.ended_at is None, record_id, candidate))
    pairs.sort(key=lambda pair: pair[:5])
    waiting = set()
    for *_, record_id, candidate in pairs:
        if record_id in found or record_id in waiting or candidate.attempt_id in with_record:
            continue
        if candidate.ended_at is None:
            waiting.add(record_id)
            continue
        found[record_id] = candidate.attempt_id
        with_record.add(candidate.attempt_id)
        if records[record_id].condition.upper() == TRANSFERRED:
            transferred.add(candidate.attempt_id)
    _rest_of_transfers(records, [each for each in candidates if each.attempt_id in transferred], rules, found)
    return found


def _by_hour(candidates: Sequence[Candidate]) -> dict[tuple[str, int | None], list[Candidate]]:
    """By extension and the hour in which they ended, None where they have not: days of records are met by hours."""
    found: dict[tuple[str, int | None], list[Candidate]] = {}
    for candidate in candidates:
        hour = None if candidate.ended_at is None else _hour(candidate.ended_at)
        for extension in (candidate.extension, _ANYBODY):
            found.setdefault((extension, hour), []).append(candidate)
    return found


def _hours_around(record: CallRecord, rules: Matching) -> list[int | None]:
    """In which hours an attempt may have ended that the record is about."""
    if record.ended_at is None:
        return []
    window = timedelta(seconds=rules.window_s)
    last = _hour(record.ended_at + window + timedelta(seconds=rules.resolution_s))
    return [None, *range(_hour(record.ended_at - window), last + 1)]


def _hour(moment: datetime) -> int:
    return int(moment.timestamp() // 3600)


def _rest_of_transfers(
    records: Mapping[int, CallRecord], transferred: Sequence[Candidate], rules: Matching, found: dict[int, int]
) -> None:
    """What another extension talked on after a transfer: the same number, begun during our part or where it ended."""
    for record_id, record in sorted(records.items()):
        if record_id in found or record.direction != "out" or record.fault or record.started_at is None:
            continue
        best: tuple[float, int] | None = None
        for candidate in transferred:
            if candidate.ended_at is None or record.extension == candidate.extension:
                continue
            if not number_fit(record.number, candidate.dialled):
                continue
            begun_at = candidate.answered_at or candidate.placed_at
            apart = max(
                (begun_at - record.started_at).total_seconds(),
                (record.started_at - candidate.ended_at).total_seconds(),
                0.0,
            )
            if apart <= rules.window_s + rules.resolution_s and (best is None or apart < best[0]):
                best = (apart, candidate.attempt_id)
        if best is not None:
            found[record_id] = best[1]
