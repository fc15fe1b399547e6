"""One look into a mailbox: what is new is stored and committed, and only then moved or marked.

Known again is a mail by its bytes, per mailbox; where it lies (UIDVALIDITY and UID) only says from where to look. So a
look that dies anywhere is repeated without loss and without doubles, also when the server has numbered all mails anew.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from tierdesk.channels.email.imap import Listed, NotGiven, Place, Server, Untidy, message_id_in
from tierdesk.channels.email.limits import HEADER_BLOCK_BYTES, MESSAGE_BYTES
from tierdesk.channels.email.models import Afterwards, Collection, Mailbox
from tierdesk.channels.email.turn import claimed_sender, head_start
from tierdesk.channels.models import Inbound
from tierdesk.core import clock

TIDY_AT_ONCE = 20
LONGEST_PAUSE = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=1)

log = logging.getLogger(__name__)

type StillOurs = Callable[[], None]
"""Called between mails; raises when somebody else looks after the mailbox now."""


def look(mailbox: Mailbox, server: Server, still_ours: StillOurs = lambda: None) -> int:
    """Take in what is new; returns how many mails that were. Raises what ends the connection."""
    return _Look(mailbox, server, still_ours).run()


class _Look:
    def __init__(self, mailbox: Mailbox, server: Server, still_ours: StillOurs) -> None:
        self.mailbox, self.server, self.still_ours = mailbox, server, still_ours
        self.state: Collection = Collection.objects.get(mailbox=mailbox)
        self.began = clock.now()
        self.new = 0
        self.untidy: list[int] = []
        self.trouble = ""

    def run(self) -> int:
        place = self.server.open()
        if self.state.began_at is None:
            self._begin(place)
        if self.state.uid_validity == place.uid_validity:
            for uid in self._take_all(list(self._not_stored())):
                self._save(last_uid=max(uid, self.state.last_uid))
        else:
            self._know_again(place)
        self._tidy()
        since = (self.state.failing_since or self.began) if self.trouble else None
        self._save(looked_at=self.began, error=self.trouble, failing_since=since)
        self._save(waiting=len(self.state.skipped), skipped=self.state.skipped)
        return self.new

    def _begin(self, place: Place) -> None:
        """The first look. Unless we are to take it in, what lies there already is not ours."""
        first = 1 if self.mailbox.takes_old else place.uid_next
        self._save(began_at=self.began, uid_validity=place.uid_validity, first_uid=first, last_uid=first - 1)

    def _take_all(self, wanted: list[Listed]) -> Iterator[int]:
        """Store one after the other; gives the number of each one that is done with."""
        for place, listed in enumerate(wanted, 1):
            self.still_ours()
            self._take(listed)
            self._save(waiting=len(wanted) - place + len(self.state.skipped), skipped=self.state.skipped)
            yield listed.uid
            if len(self.untidy) >= TIDY_AT_ONCE:
                self._tidy()

    # -- which mails

    def _not_stored(self) -> Iterator[Listed]:
        """What has come since, in order, and what was kept back and is to be asked for again."""
        skipped = {int(uid): at for uid, (_, _, at) in self.state.skipped.items()}
        moves = self.mailbox.afterwards == Afterwards.MOVE
        first = self.state.first_uid if moves else self.state.last_uid + 1
        there = set(self.server.uids_from(min(first, *skipped) if skipped else first))
        self.state.skipped = {str(uid): self.state.skipped[str(uid)] for uid in skipped.keys() & there}
        if moves:  # what is stored and still lies here: we fell before we moved it
            self.untidy = sorted(uid for uid in there - skipped.keys() if uid <= self.state.last_uid)
        due = {uid for uid, at in skipped.items() if at <= self.began.isoformat()}
        return self.server.listed(uid for uid in there if uid > self.state.last_uid or uid in due)

    def _know_again(self, place: Place) -> None:
        """The server has numbered all mails anew. We know ours by their bytes; where it writes a mail anew each time
        (Exchange), by Message-ID and time. Until all are seen the old numbering stays written down.
        """
        log.warning("%s has numbered its mails anew", self.mailbox)
        self.state.uid_validity, self.state.skipped = place.uid_validity, {}
        unknown = [one for one in self.server.listed(self.server.uids_from(1)) if self._is_ours(one)]
        ids = self.server.message_ids(one.uid for one in unknown)
        stored = self._stored_at(unknown)
        known = [one for one in unknown if (ids.get(one.uid), _iso(one.taken_at)) in stored]
        self.untidy = [one.uid for one in known]
        for _ in self._take_all([one for one in unknown if one not in known]):
            pass
        self._tidy()
        self._save(uid_validity=place.uid_validity, first_uid=place.uid_next, last_uid=place.uid_next - 1)

    def _is_ours(self, listed: Listed) -> bool:
        """Not what lay there before we came."""
        began = self.state.began_at
        if self.mailbox.takes_old or began is None or listed.taken_at is None:
            return True
        return listed.taken_at >= began - CLOCKS_DIFFER

    def _stored_at(self, listed: list[Listed]) -> set[tuple[str, str]]:
        """(Message-ID, when the server took it in) of what we stored of these times from this mailbox."""
        times = list({_iso(one.taken_at) for one in listed})
        ours = Inbound.objects.filter(
            channel="email", meta__mailbox=self.mailbox.pk, meta__taken_at__in=times
        )
        pairs = ours.values_list("meta__message_id", "meta__taken_at")
        return {(message_id, taken_at) for message_id, taken_at in pairs if message_id and taken_at}

    # -- one mail

    def _take(self, listed: Listed) -> None:
        try:
            if listed.size > MESSAGE_BYTES:
                self._store(listed, self.server.fetch(listed.uid, first=HEADER_BLOCK_BYTES), whole=False)
            else:
                self._store(listed, self._fetch_whole(listed), whole=True)
        except NotGiven as refusal:
            self._skip(listed.uid, str(refusal))

    def _fetch_whole(self, listed: Listed) -> bytes:
        """There are servers that misjudge sizes, and answers that are cut: what is short must come the same twice."""
        raw = self.server.fetch(listed.uid)
        if len(raw) < listed.size and self.server.fetch(listed.uid) != raw:
            raise NotGiven("it comes differently each time")
        return raw

    def _store(self, listed: Listed, raw: bytes, *, whole: bool) -> None:
        """Committed when this returns. Of what is too large only the beginning; all of it stays on the server."""
        meta = {
            "recipients": [self.mailbox.address],
            "mailbox": self.mailbox.pk,
            "uid": f"{self.state.uid_validity}/{listed.uid}",
            "message_id": message_id_in(raw[:HEADER_BLOCK_BYTES]),
            "taken_at": _iso(listed.taken_at),
        }
        if not whole or len(raw) > MESSAGE_BYTES:
            meta["whole_size"] = max(listed.size, len(raw))
            raw = raw[:HEADER_BLOCK_BYTES]
        digest = hashlib.sha256(raw).hexdigest()
        key, received = f"imap {self.mailbox.pk} {digest}", self._received_at(listed)
        _, is_new = Inbound.store(
            "email",
            raw,
            ext_key=key,
            remote=self.mailbox.imap_host,
            meta=meta,
            at=received,
            head_start=head_start(claimed_sender(raw[:HEADER_BLOCK_BYTES])),
        )
        self.new += is_new
        self.state.skipped.pop(str(listed.uid), None)
        self.untidy.append(listed.uid)
        self._save(fetched_count=self.state.fetched_count + is_new, fetched_at=clock.now())

    def _received_at(self, listed: Listed) -> datetime:
        """When its server took it in (M39); what was not there at the last look has come since."""
        began = None if self.mailbox.takes_old else self.state.began_at
        seen = None if str(listed.uid) in self.state.skipped else self.state.looked_at or began
        taken = listed.taken_at or self.began
        return min(clock.now(), max(taken, seen - CLOCKS_DIFFER) if seen else taken)

    def _skip(self, uid: int, why: str) -> None:
        """The others go on; this one is asked for again, later each time."""
        tries = self.state.skipped.get(str(uid), [0])[0] + 1
        pause = min(LONGEST_PAUSE, timedelta(seconds=30) * 2 ** min(tries, 8))
        self.state.skipped[str(uid)] = [tries, why, (self.began + pause).isoformat()]
        log.warning("%s does not give mail %s: %s", self.mailbox, uid, why)

    def _tidy(self) -> None:
        """What is stored but cannot be moved is a matter for an administrator, and holds up no mail."""
        try:
            self.server.tidy(self.untidy)
        except Untidy as refusal:
            self.trouble = str(refusal)
        self.untidy = []

    def _save(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self.state, name, value)
        Collection.objects.filter(pk=self.state.pk).update(**values)


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""
