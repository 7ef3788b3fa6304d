"""Call records over CSTA: asked for when the PBX has had time to forget an older association, told as CallRecord."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock, moment
from ocm_cti.domain.call_records import CallRecord
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.link import LinkLost
from protocols.csta.panasonic_cdr import DURATION_UNITS_PER_SECOND, CdrItem, parse_cdr_report, pbx_time
from protocols.csta.services_cdr import CDRInformationItem

SOURCE = "csta"
#: References of kept records that are asked for at a time; there is one, as far as is known.
MOST_FETCHED = 16
#: What lies outside is no call of ours but nonsense, and would be too large for those who keep and compare it.
LONGEST_S = 10_000_000
YEARS = range(2000, 2100)


class CallRecords:
    """StartCDRTransmission after each association, and what the PBX sends then. A refusal is logged, nothing more."""

    def __init__(
        self,
        settings: PanasonicSettings,
        clock: Clock,
        ask: Callable[[str, Any], Deferred[Any]],
        tell: Callable[[CallRecord], None],
        log: Logger,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ask = ask
        self._tell = tell
        self._log = log
        self._timer: Any = None
        self._fetching: set[bytes] = set()

    def link_up(self) -> None:
        # RE: a client in use waits a minute since a PBX broke its association off; too early a StartCDR is a suspect.
        if self._settings.cdr:
            self._timer = self._clock.callLater(self._settings.cdr_delay_s, self._begin)

    def link_down(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _begin(self) -> None:
        # RE: transferMode 0.
        self._ask("startCDRTransmission", {"transferMode": "transferAtEndOfCall"}).addCallbacks(
            lambda _: self._log.info("{gateway}: call records over CSTA begin", gateway=self._settings.name),
            self._refused,
        )

    def _refused(self, failure: Failure) -> None:
        # DOC3: only one application may have them; the second is told "generic".
        if not isinstance(failure.value, LinkLost):
            self._log.warn(
                "{gateway}: no call records over CSTA: {why}; another application may have them",
                gateway=self._settings.name,
                why=failure.getErrorMessage(),
            )

    def reported(self, argument: Mapping[str, Any]) -> None:
        """A cDRReport; it has been answered."""
        zone = moment(self._clock).astimezone().tzinfo
        for item, record in zip(parse_cdr_report(argument).items, argument["cdrInfo"], strict=True):
            self._tell(self._record(item, CDRInformationItem.encode(record).hex(), zone))

    def stored(self, argument: Mapping[str, Any]) -> None:
        """A cDRNotification: the PBX has kept records for us; asked for once, however often it says so meanwhile."""
        reference = argument["cdrCrossRefID"]
        if reference in self._fetching or len(self._fetching) >= MOST_FETCHED:
            return
        self._fetching.add(reference)

        def over(result: Any) -> Any:
            self._fetching.discard(reference)
            return result

        self._ask("sendStoredCDR", {"cdrCrossRefID": reference}).addBoth(over).addErrback(self._refused)

    def _record(self, item: CdrItem, raw: str, zone: tzinfo | None) -> CallRecord:
        ended_at = self._time(item.connection_end, zone)
        direction = self._direction(item)
        out = direction == "out"
        far = (item.network_called or item.called) if out else (item.network_calling or item.calling)
        near = item.charged_device or (item.calling if out else item.called)
        if direction == "internal":
            far, near = item.called, item.charged_device or item.calling
        return CallRecord(
            gateway=self._settings.name,
            source=SOURCE,
            raw=raw,
            started_at=self._time(item.started, zone),
            ended_at=ended_at,
            extension=near,
            trunk="" if item.trunk is None else str(item.trunk),
            number=far,
            direction=direction,
            duration_s=self._duration_s(item),
            cost=None if item.charge is None else item.charge.amount,
            currency="" if item.charge is None else item.charge.currency,
            account=item.account,
            condition=item.condition_code.upper(),
        )

    @staticmethod
    def _direction(item: CdrItem) -> str:
        # RE: the CO line stands as associatedCalled; INF: as associatedCalling where the call came in.
        if item.trunk is None:
            return "internal" if item.calling and item.called else "other"
        return "in" if _is_trunk(item.associated_calling) or _is_trunk(item.calling) else "out"

    def _duration_s(self, item: CdrItem) -> int | None:
        if item.duration_s is None:
            return None
        seconds = item.duration_s * DURATION_UNITS_PER_SECOND * self._settings.cdr_duration_unit_s
        return round(seconds) if 0 <= seconds <= LONGEST_S else None

    @staticmethod
    def _time(text: str, zone: tzinfo | None) -> datetime | None:
        # INF: times without a zone are those of the place, and the server stands there.
        moment = pbx_time(text, zone) if zone is not None else None
        return moment if moment is not None and moment.year in YEARS else None


def _is_trunk(device: str) -> bool:
    return device.startswith("trunk ")
