"""An exchange that tells of calls, as it would: over HTTP, with its token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client as Http

from tests.cast import Cast
from tierdesk.channels.phone.models import Call, Exchange, Extension, digest
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope

TOKEN = "a-token-of-the-house-exchange"
ANN = "+49301234501"
ACME = "+49301234500"


@dataclass
class Pbx:
    """The exchange of the house: `says("newCall", at)` posts an event of call c1 of Ann's, unless told otherwise."""

    row: Exchange
    http: Http = field(default_factory=Http)

    def says(self, event: str, at: datetime, call: str = "c1", **fields: Any) -> HttpResponse:
        told = {"event": event, "callId": call, "direction": "in", "from": ANN, "to": "+4930999"} | fields
        with clock.frozen(at):
            answer = self.http.post(f"/phone/{TOKEN}/", told)
        set_scope(EVERY_CLIENT)
        return answer

    def misses(self, at: datetime, call: str = "c1", **fields: Any) -> Call:
        self.says("newCall", at, call, **fields)
        self.says("hangup", at, call, cause="noAnswer", **fields)
        return self.call(call)

    def call(self, ext_id: str = "c1") -> Call:
        return Call.objects.get(ext_id=ext_id)


def connect(cast: Cast) -> Pbx:
    """An exchange of the first line, in which Lena is reached at 42."""
    row = Exchange.objects.create(
        key="house", name="House exchange", team=cast.desk, token_sha256=digest(TOKEN)
    )
    Extension.objects.create(exchange=row, number="42", agent=cast.lena)
    return Pbx(row)
