"""What was agreed for a ticket at the time: the promises and policies of contract versions, looked up in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

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
            for promise in Promise.objects.filter(contract_version__in=self._versions):
                key = (promise.contract_version_id, promise.priority)
                self._promises.setdefault(key, []).append(promise)
        return self._promises.get((standing.contract_version_id, standing.priority), ())

    def policies(self, standing: Standing) -> Policies:
        if self._policies is None:
            versions = ContractVersion.objects.filter(pk__in=self._versions).values_list("pk", "policies")
            self._policies = {pk: Policies.of(agreed) for pk, agreed in versions}
        return self._policies.get(standing.contract_version_id, NOTHING_AGREED)


NOTHING_AGREED = Policies()
