"""What was agreed for a ticket at the time: the promises and policies of contract versions, looked up in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.db.models import F

from tierdesk.directory.contracts.models import ContractVersion, Promise
from tierdesk.response.sla.policy import Policies


class Standing(Protocol):
    """How a ticket stands as far as its promises go: the ticket itself, or what its timeline says of an instant."""

    @property
    def contract_version_id(self) -> int | None: ...

    @property
    def priority(self) -> int: ...


class Terms:
    """The promises and policies of some contract versions; each is read once, when somebody asks."""

    def __init__(self, versions: Iterable[int | None]) -> None:
        self._versions = {version for version in versions if version}
        self._promises: dict[tuple[int | None, int], list[Promise]] | None = None
        self._policies: dict[int | None, Policies] | None = None
        self._rungs: dict[int | None, Sequence[Mapping[str, Any]]] = {}

    @classmethod
    def of(cls, standings: Iterable[Standing]) -> Terms:
        return cls(standing.contract_version_id for standing in standings)

    @classmethod
    def of_all(cls) -> Terms:
        """Of every contract version there is."""
        return cls(ContractVersion.objects.values_list("pk", flat=True))

    def promises(self, standing: Standing) -> Sequence[Promise]:
        """The promises of this ticket's contract at its priority."""
        if self._promises is None:
            self._promises = {}
            promises = Promise.objects.filter(contract_version__in=self._versions)
            for promise in promises.annotate(rungs=F("contract_version__rungs")):
                self._rungs[promise.contract_version_id] = promise.rungs
                key = (promise.contract_version_id, promise.priority)
                self._promises.setdefault(key, []).append(promise)
        return self._promises.get((standing.contract_version_id, standing.priority), ())

    def policies(self, standing: Standing) -> Policies:
        if self._policies is None:
            versions = ContractVersion.objects.filter(pk__in=self._versions)
            self._policies = {}
            for pk, agreed, rungs in versions.values_list("pk", "policies", "rungs"):
                self._policies[pk], self._rungs[pk] = Policies.of(agreed), rungs
        return self._policies.get(standing.contract_version_id, NOTHING_AGREED)

    def rungs(self, standing: Standing) -> Sequence[Mapping[str, Any]]:
        """The rungs that this ticket's contract asks for; they come along with whatever else is read of it."""
        if self._promises is None and self._policies is None:
            self.policies(standing)
        return self._rungs.get(standing.contract_version_id, ())


NOTHING_AGREED = Policies()
