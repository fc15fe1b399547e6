"""What Asterisk's manager interface says of calls, as events of ours. It remembers the calls under way, nothing else.

Events: https://docs.asterisk.org/Latest_API/API_Documentation/AMI_Events/. All channels of one call have the `Linkedid`
of the first, which is the caller's (or, when one of us calls out, our telephone's).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from tierdesk.channels.phone.progress import CallEvent, Happening

type Message = Mapping[str, str]
"""One message of the interface: names in lower case, as Asterisk is not of one mind about them."""

OUTSIDE = re.compile(r"\+?\d{6,}")
"""What somebody of ours must dial for it to be a call that concerns a client, and not a colleague."""


class Interpreter:
    """Turns messages into events. `contexts`: where in the dialplan calls come in from outside.

    `going`: the calls that were under way when the line was last heard, and whether each is incoming. Those that
    are not among the channels that Asterisk shows, once asked, have ended in the meantime.
    """

    def __init__(self, contexts: Collection[str], going: Mapping[str, bool] | None = None) -> None:
        self._contexts = frozenset(contexts)
        self._incoming = dict(going or {})
        self._shown: set[str] = set()

    def events(self, message: Message) -> Iterator[CallEvent]:
        """The events that a message tells; most tell none."""
        match message.get("event", "").lower():
            case "newchannel":
                yield from self._begun(message)
            case "coreshowchannel":
                self._shown.add(message.get("linkedid", ""))
                yield from self._begun(message)
            case "coreshowchannelscomplete":
                for call_id in self._incoming.keys() - self._shown:
                    yield CallEvent(
                        call_id, Happening.ENDED, self._incoming.pop(call_id), cause="line was down"
                    )
            case "newcallerid":
                yield from self._named(message)
            case "dialbegin":
                yield from self._told(message, Happening.RINGS)
            case "dialend" if message.get("dialstatus", "").upper() == "ANSWER":
                yield from self._told(message, Happening.ANSWERED)
            case "hangup":
                yield from self._ended(message)

    def _begun(self, message: Message) -> Iterator[CallEvent]:
        """A call begins with the channel that all others are linked to. Calls from desk to desk are none of ours."""
        call_id = message.get("linkedid", "")
        if not call_id or message.get("uniqueid") != call_id or call_id in self._incoming:
            return
        caller, dialled = message.get("calleridnum", ""), message.get("exten", "")
        if message.get("context") in self._contexts:
            self._incoming[call_id] = True
            yield CallEvent(call_id, Happening.RINGS, number=caller, our_number=dialled)
        elif OUTSIDE.fullmatch(dialled):
            self._incoming[call_id] = False
            yield CallEvent(
                call_id,
                Happening.RINGS,
                incoming=False,
                number=dialled,
                our_number=caller,
                agents=(caller, _telephone(message.get("channel", ""))),
            )

    def _named(self, message: Message) -> Iterator[CallEvent]:
        """The caller's number may come, or be put right by the dialplan, after the call began."""
        call_id = message.get("linkedid", "")
        if message.get("uniqueid") == call_id and self._incoming.get(call_id):
            yield CallEvent(call_id, Happening.RINGS, number=message.get("calleridnum", ""))

    def _told(self, message: Message, what: Happening) -> Iterator[CallEvent]:
        """A telephone of ours rings, or is picked up. When we call out it is the client's, and names none of us.

        Which one it is stands in the dial string, but only while it rings; in the channel's name always.
        """
        call_id = message.get("linkedid") or message.get("destlinkedid", "")
        if call_id not in self._incoming or message.get("destuniqueid") == call_id:
            return  # a call that Asterisk was asked to make dials its own first channel
        incoming = self._incoming[call_id]
        if incoming:
            agents = (_telephone(message.get("dialstring", "")), _telephone(message.get("destchannel", "")))
            yield CallEvent(call_id, what, agents=agents)
        elif what is Happening.ANSWERED:
            yield CallEvent(call_id, what, incoming=False)

    def _ended(self, message: Message) -> Iterator[CallEvent]:
        """The call is over when its first channel is. Asterisk says “Normal Clearing” of a caller who gave up, too."""
        call_id = message.get("linkedid", "")
        if message.get("uniqueid") == call_id and call_id in self._incoming:
            incoming = self._incoming.pop(call_id)
            yield CallEvent(call_id, Happening.ENDED, incoming=incoming, cause=message.get("cause-txt", ""))


def _telephone(said: str) -> str:
    """The extension in `42`, `42@phones/n`, `PJSIP/42` or `PJSIP/42-0000001b`."""
    return said.partition("@")[0].rpartition("/")[2].partition("-")[0]
