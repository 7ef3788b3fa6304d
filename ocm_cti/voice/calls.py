"""The calls of a voice process: SIP on one side, RTP on the other, and what the parent asks and is told in between.

    incoming ── answer ──▶ answered ── ACK ──▶ established ──▶ over
        └──────── refuse, CANCEL, fault ──────────────────────▶ over
    dialled ── 200 ──▶ established ──▶ over
        └── refused, hung up, fault ──▶ over

``ended`` is told once for each call that was told as ``incoming``, and for each dialled one that was not told as
``refused``. How far a prompt got is reported before it; a recording is reported when it lies on disk, which may be a
moment after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError

from ocm_cti.voice.accounts import address_at
from ocm_cti.voice.call_parts import Call, Commands, Reactor, Reporter, State
from ocm_cti.voice.commands import CallOver, DialFailed, ReferRefused, Unanswerable
from ocm_cti.voice.live_calls import LiveCalls
from ocm_cti.voice.player import Played
from ocm_cti.voice.recorder import InThread, RecordedReply
from ocm_cti.voice.sip_side import NOT_ACCEPTABLE, REQUEST_PENDING, RING_LIMIT_S, UNAVAILABLE, SipSide
from ocm_cti.voice.trunk_lines import account_of, address_on, invitation
from ocm_cti.voice.trunks import Trunk
from protocols.errors import LocalProtocolError
from protocols.sip import sdp
from protocols.sip import user_agent as sip


class Calls(SipSide):
    """All calls of the process. SIP events go into ``sip_event``; the rest is what the parent asks.

    ``silent_peer_s``: a call whose peer has sent no RTP for so long, and has not put us on hold, ends by fault; None
    (the default) lets it be, for there are exchanges that send nothing while nobody speaks.
    """

    def __init__(
        self,
        reactor: Reactor,
        commands: Commands,
        reporter: Reporter,
        host: str,
        in_thread: InThread,
        *,
        rtp_ports: Sequence[int] | None = None,
        silent_peer_s: float | None = None,
        stranger_code: int = 403,
    ) -> None:
        super().__init__(commands, reporter, stranger_code)
        self._reactor = reactor
        self._calls = LiveCalls(
            reactor,
            host,
            in_thread,
            self._pressed,
            lambda call: self._silent(call, silent_peer_s or 0.0),
            rtp_ports=rtp_ports,
            silent_peer_s=silent_peer_s,
        )

    # Asked by the parent

    def register(self, account: sip.Account) -> None:
        """Hold the registration of an extension, which may dial once it stands."""
        self._accounts.add(account)
        self._sip.register(account)

    def unregister(self, extension: str) -> None:
        self._accounts.remove(extension)
        self._sip.unregister(extension)

    def open_trunk(self, trunk: Trunk) -> None:
        """Take calls for a trunk, and register where it wants that."""
        self.close_trunk(trunk.name, keeps=trunk.registers)
        self._trunks.add(trunk)
        if trunk.registers:
            self._sip.register(account_of(trunk))

    def close_trunk(self, name: str, keeps: bool = False) -> None:
        """No more calls on it; its registration is given back, unless another one of its name ``keeps`` it up."""
        trunk = self._trunks.remove(name)
        if trunk is not None and trunk.registers and not keeps:
            self._sip.unregister(name)

    def dial(self, extension: str, digits: str) -> str:
        """Call ``digits`` at the switch of a registered extension; returns the key of the call. DialFailed."""
        account = self._accounts.registered(extension)

        def invite(offer: bytes) -> str:
            return self._sip.invite(
                address_at(account, digits),
                from_user=extension,
                destination=(account.registrar_host, account.registrar_port),
                sdp=offer,
                credentials=account,
            )

        return self._dial(Call("", extension, State.DIALLED), invite)

    def call(
        self, trunk: str, digits: str, caller_id: str = "", asserted: str = "", headers: Sequence[tuple[str, str]] = ()
    ) -> str:
        """Call ``digits`` on an open trunk; returns the key of the call. DialFailed."""
        line = self._trunks.ready(trunk)

        def invite(offer: bytes) -> str:
            asked = invitation(line, digits, caller_id, asserted, headers)
            return self._sip.invite(
                asked.target_uri,
                from_user=line.user,
                destination=asked.destination,
                sdp=offer,
                headers=asked.headers,
                credentials=account_of(line),
                identity=asked.identity,
                session_expires_s=line.session_expires_s,
            )

        return self._dial(Call("", line.user, State.DIALLED, trunk=trunk), invite)

    def _dial(self, call: Call, invite: Callable[[bytes], str]) -> str:
        try:
            self._calls.open_media(call)
            offer, _ = self._calls.describe(call, None)
            call.key = invite(offer)
        except (ValueError, CannotListenError, LocalProtocolError) as error:
            self._calls.close_media(call)
            raise DialFailed(str(error)) from error
        self._calls.add(call)
        call.ring_limit = self._reactor.callLater(RING_LIMIT_S, self._unanswered, call)
        return call.key

    def answer(self, key: str) -> None:
        """Pick up. CallOver when the caller has gone; Unanswerable when we can't, and then the call is over."""
        call = self._calls.find(key)
        if call.state is not State.INCOMING:
            return
        try:
            media = self._calls.open_media(call)
            octets, agreed = self._calls.describe(call, call.offer)
        except (CannotListenError, sdp.SDPError) as error:
            self._log.warn("{call} can't be answered: {error}", call=key, error=error)
            self._refuse(key, UNAVAILABLE if isinstance(error, CannotListenError) else NOT_ACCEPTABLE)
            self._over(call, "fault", str(error))
            raise Unanswerable(str(error)) from error
        if not self._unless_over(self._sip.answer, key, octets):
            self._over(call, "them", "the caller gave up")
            raise CallOver(f"call {key} is over")
        call.state = State.ANSWERED
        if agreed is not None:
            media.connect(agreed)
        self._calls.watch.begin()

    def refuse(self, key: str, code: int) -> None:
        """Turn an incoming call away. CallOver when it has gone."""
        call = self._calls.find(key)
        if call.state is not State.INCOMING:
            self.hang_up(key)
            return
        self._refuse(key, code)
        self._over(call, "us", f"refused with {code}")

    def hang_up(self, key: str) -> None:
        """End a call in any state; harmless when it is over."""
        call = self._calls.get(key)
        if call is not None:
            self._sip.hang_up(key)
            self._over(call, "us", "hung up")

    def play(self, key: str, paths: Sequence[Path]) -> Deferred[Played]:
        """CallOver unless the call is up; else as CallMedia.play."""
        return self._calls.media_of(key).play(paths)

    def stop_playing(self, key: str) -> None:
        """Be silent; harmless when nothing plays or the call is over."""
        call = self._calls.get(key)
        if call is not None and call.media is not None:
            call.media.stop_playing()

    def record(self, key: str, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[RecordedReply]:
        """CallOver unless the call is up; else as CallMedia.record."""
        recorded = self._calls.media_of(key).record(path, max_ms, silence_ms, stop_keys)
        self._calls.outlive(recorded)
        return recorded

    def refer(self, key: str, digits: str) -> Deferred[None]:
        """Have the switch connect the other side of an established call with ``digits``; fires when it has.

        ReferRefused when it has not: the other side is with us. CallOver when the call ends meanwhile.
        """
        call = self._calls.find(key)
        if call.state is not State.ESTABLISHED:
            raise CallOver(f"call {key} is not established")
        if call.referring is not None:
            return fail(ReferRefused(REQUEST_PENDING, "another transfer of this call goes on"))
        try:
            target, account = self._at_switch(call, digits)
            self._sip.refer(key, target, account)
        except (ValueError, LocalProtocolError) as error:
            return fail(ReferRefused(0, str(error)))
        call.referring = Deferred()
        return call.referring

    def _at_switch(self, call: Call, digits: str) -> tuple[str, sip.Account]:
        """The address of a number where this call came from, and who we are there. ValueError."""
        if call.trunk:
            trunk = self._trunks.get(call.trunk)
            if trunk is None:
                raise ValueError(f"trunk {call.trunk} is closed")
            return address_on(trunk, digits), account_of(trunk)
        account = self._accounts.of(call.extension)
        if account is None:
            raise ValueError(f"extension {call.extension} has no registration")
        return address_at(account, digits), account

    def shut_down(self) -> Deferred[None]:
        """Hang up everything; fires when all recordings lie on disk and all sockets are closed."""
        for call in self._calls:
            self.hang_up(call.key)
        return self._calls.all_closed()
