"""Delivery status notifications: which of our mails did not arrive, for whom, and why (RFC 3464, RFC 3463).

Two thirds of the bounces in circulation follow the RFC; the rest is recognised by what mail servers have
written for decades. A heuristic may only claim a bounce when the mail also comes from a mail system.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tierdesk.channels.email import charsets
from tierdesk.channels.email.addresses import plain_address, read_addresses
from tierdesk.channels.email.headers import Headers, read_headers
from tierdesk.channels.email.parts import Part

_REPORT_CHARS = 64 * 1024
_REPORT_PARTS = 10


class Outcome(StrEnum):
    """What became of the mail. Delayed is no failure: the server is still trying."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"


class Cause(StrEnum):
    """Why it did not arrive, as far as a person must act differently."""

    ADDRESS_UNKNOWN = "address_unknown"
    ADDRESS_MOVED = "address_moved"
    HOST_UNKNOWN = "host_unknown"
    MAILBOX_FULL = "mailbox_full"
    TOO_BIG = "too_big"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNSAID = "unsaid"


_DEAD = {Cause.ADDRESS_UNKNOWN, Cause.ADDRESS_MOVED, Cause.HOST_UNKNOWN}


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to the mail for one recipient. `status` is an RFC 3463 code like "5.1.1", or empty."""

    recipient: str
    outcome: Outcome
    status: str = ""
    cause: Cause = Cause.UNSAID
    diagnostic: str = ""

    @property
    def address_is_dead(self) -> bool:
        """Later mail to this address will fail as well."""
        return self.outcome is Outcome.FAILED and self.cause in _DEAD


@dataclass(frozen=True, slots=True)
class Bounce:
    """`reason` says how it was recognised; `original_message_id` names our mail, if told."""

    reason: str
    reports: tuple[Report, ...]
    original_message_id: str = ""

    @property
    def outcome(self) -> Outcome:
        """The worst of all recipients; failed when the notice names none."""
        outcomes = {report.outcome for report in self.reports}
        return next((worst for worst in Outcome if worst in outcomes), Outcome.FAILED)


def read_bounce(
    headers: Headers, parts: Sequence[Part], text: str, *, from_mail_system: bool, is_report: bool
) -> Bounce | None:
    """The bounce this mail is, or None. `text` is the plain text; `is_report` says multipart/report."""
    told, original = _cut_original(text[:_REPORT_CHARS])
    message_id = _original_message_id(parts) or _message_id_in(original)
    status_parts = [
        part for part in parts if part.content_type.endswith("/delivery-status") and not part.carried
    ]
    fields = "\n\n".join(part.text()[:_REPORT_CHARS] for part in status_parts[:_REPORT_PARTS])
    if reports := tuple(_reports(fields, told)):
        return Bounce("delivery status report", reports, message_id)
    if (from_mail_system or is_report) and (reports := tuple(_reports(told, told))):
        return Bounce("delivery status in the text", reports, message_id)
    if failed := headers.text("x-failed-recipients"):
        addresses = (address.address for address in read_addresses(failed.encode()))
        return Bounce(
            "X-Failed-Recipients", tuple(_told_report(told, address) for address in addresses), message_id
        )
    if status_parts or (from_mail_system and _tells_of_failure(headers.text("subject"), told)):
        return Bounce("words of a mail system", (_told_report(told, _failed_address(told)),), message_id)
    return None


# -- the machine-readable report
# ---------------------------------------------------------------------------------

_FIELD = re.compile(r"^([A-Za-z-]{1,40})[ \t]*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_ADDRESS_LIKE = re.compile(r"\S{1,200}@\S{1,200}")
_GROUPS = re.compile(r"\n[ \t]*\n")


def _reports(fields: str, told: str) -> Iterator[Report]:
    """One report per group of fields that names a recipient and an action or a status (RFC 3464 §2.3)."""
    for group in _GROUPS.split(fields):
        found = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(group)}
        named = (
            found.get("original-recipient")
            or found.get("final-recipient")
            or found.get("x-actual-recipient", "")
        )
        if named and ("action" in found or "status" in found):
            yield _field_report(found, named, told)


def _field_report(found: dict[str, str], named: str, told: str) -> Report:
    diagnostic = found.get("diagnostic-code", "")
    status = _exact_status(_first(_STATUS, found.get("status", "")), diagnostic)
    action = found.get("action", "").lower()
    if action.startswith(("delayed", "relayed", "delivered", "expanded")):
        outcome = Outcome.DELAYED if action.startswith("delayed") else Outcome.DELIVERED
    else:
        outcome = Outcome.FAILED if action.startswith("failed") else _outcome_of(status)
    cause = _cause(diagnostic, "") if outcome is not Outcome.DELIVERED else Cause.UNSAID
    if cause is Cause.UNSAID and outcome is not Outcome.DELIVERED:
        cause = _cause(told, status)
    final = found.get("final-recipient", "")
    recipient = _recipient(named) or _recipient(final)
    return Report(recipient, outcome, status, cause, diagnostic[:500])


def _exact_status(status: str, diagnostic: str) -> str:
    """A server that writes 5.0.0 often quotes the exact code of the other side in its diagnostic."""
    quoted = _first(_STATUS, diagnostic)
    if quoted and (not status or status.endswith(".0.0")) and not quoted.endswith(".0.0"):
        return quoted
    return status or quoted or _class_of_reply(diagnostic)


def _class_of_reply(text: str) -> str:
    code = _REPLY_CODE.search(text)
    return f"{code[1][0]}.0.0" if code else ""


def _outcome_of(status: str) -> Outcome:
    return {"2": Outcome.DELIVERED, "4": Outcome.DELAYED}.get(status[:1], Outcome.FAILED)


def _recipient(value: str) -> str:
    """`rfc822; <someone@example.com>` → the address."""
    return plain_address(value.rpartition(";")[2].strip(" <>"))


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0] if found else ""


# -- what mail systems write for people
# ---------------------------------------------------------------------------

_SUBJECTS = (
    "undeliver", "returned mail", "delivery status notification", "mail delivery fail", "delivery failure",
    "failure notice", "mail failed", "mail failure", "delivery has failed", "message you sent blocked",
    "delivery notification", "mail system error", "returned to sender", "nondeliverable", "non-deliverable",
    "delivery report", "undelivered", "could not be delivered", "not delivered", "delivery delayed",
    "unzustellbar", "nicht zugestellt", "non remis", "no se puede entregar", "mancato recapito",
    "onbestelbaar", "delayed mail", "warning: message", "delivery delay", "warning: could not send message",
    "mail delivery status", "nicht zustellbar", "niet bezorgd", "impossible de remettre", "não entregue",
    "não é possível entregar", "kunde inte levereras", "nie można dostarczyć", "nedoručiteln",
    "недоставлен", "не доставлено", "配信できません", "配信不能", "无法送达", "系统退信", "傳遞失敗",
)  # fmt: skip
_WORDS = (
    "could not be delivered", "couldn't be delivered", "unable to deliver", "did not reach the following",
    "undeliverable", "permanent fatal errors", "delivery to the following recipient", "delivery problems",
    "cannot be delivered", "wasn't able to deliver", "no valid recipients", "mailbox is full",
    "failed to deliver", "not been delivered", "fatal delivery errors", "wasn't delivered to",
    "was not delivered to", "permanent delivery errors",
)  # fmt: skip
_STILL_TRYING = (
    "will continue trying", "will keep trying", "will be retried", "no need to resend",
    "not yet been delivered", "has been delayed", "delivery is delayed", "this is a warning message only",
    "will try again", "transient non-fatal errors", "this is a warning only",
)  # fmt: skip
_COPY_OF_ORIGINAL = re.compile(
    r"^(?:-+ (?:This is a copy of|Below this line is a copy|The body of the message is|"
    r"Original message follows|"
    r"Unsent message|Returned message|Message text follows).*|\|-+ Message text follows.*|Return-Path: .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID = re.compile(r"^Message-Id:\s*(<[^<>\s]{1,990}>)", re.IGNORECASE | re.MULTILINE)
_FAILED_ADDRESS = re.compile(r"<?([^\s<>()\[\]:;,\"']{1,128}@[A-Za-z0-9.-]{1,190}[A-Za-z0-9])>?")


def _tells_of_failure(subject: str, told: str) -> bool:
    subject, told = subject.lower(), told.lower()
    return any(words in subject for words in _SUBJECTS) or any(words in told for words in _WORDS)


def _told_report(told: str, recipient: str) -> Report:
    """One recipient, from the words that follow its address."""
    trying = any(words in told.lower() for words in _STILL_TRYING)
    about = told[max(0, told.lower().find(recipient)) :]
    status = _first(_STATUS, about) or _class_of_reply(about)
    outcome = Outcome.DELAYED if trying else Outcome.FAILED
    return Report(recipient, outcome, status, _cause(about, status), " ".join(about.split())[:500])


def _failed_address(told: str) -> str:
    found = _FAILED_ADDRESS.search(told)
    return plain_address(found[1]) if found else ""


def _cut_original(text: str) -> tuple[str, str]:
    """What the server says, and the copy of our mail it returns below."""
    copy = _COPY_OF_ORIGINAL.search(text)
    return (text[: copy.start()], text[copy.start() :]) if copy else (text, text)


def _original_message_id(parts: Sequence[Part]) -> str:
    """From the returned mail or its headers, the third part of the report."""
    for part in parts:
        if part.content_type == "message/rfc822" and not part.carried:
            returned, _ = read_headers(part.raw, part.start, part.end)
            return _message_id_in("Message-Id: " + returned.text("message-id"))
        if part.content_type in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            return _message_id_in(charsets.decode(part.content()[:_REPORT_CHARS]))
    return ""


def _message_id_in(text: str) -> str:
    found = _MESSAGE_ID.search(text)
    return found[1] if found else ""


# -- why
# --------------------------------------------------------------------------------------------------------

_BY_WORDS: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (Cause.ADDRESS_UNKNOWN, (
        "user unknown", "unknown user", "no such user", "no such recipient", "unknown local part",
        "user doesn't have", "not listed in domino directory", "address couldn't be found",
        "recipient address rejected: access denied",  # Exchange Online for an address that does not exist
    )),
    (Cause.MAILBOX_FULL, (
        "mailbox is full", "mailbox full", "quota", "over the maximum allowed mailbox",
        "not enough disk space", "too much mail data", "insufficient storage", "mailfolder is full",
        "disk full", "exceeded storage",
    )),
    (Cause.REFUSED, (
        "reverse dns", "reverse address", "ptr record", "rdns", "blocked", "blacklist", "block list",
        "listed", "spam", "policy", "dmarc", "spf", "dkim", "relaying", "relay access", "authenticat",
        "at a rate", "reputation", "domain of sender", "sender address", "sender domain", "sender verify",
        "sender rejected", "virus", "content rejected", "not rfc", "rfc 5322", "too many", "rate limit",
        "greylist", "suspended", "helo", "ehlo", "access denied", "banned", "not accepted", "your ip",
        "your isp", "sender denied", "your mail server", "valid fqdn", "client host rejected",
    )),
    (Cause.ADDRESS_MOVED, ("has moved", "user moved", "recipient moved", "address changed", "no longer at")),
    (Cause.HOST_UNKNOWN, (
        "host unknown", "unknown host", "host not found", "domain not found", "no such domain",
        "unrouteable address", "unrouteable mail domain", "unrouteable mail", "domain does not exist",
        "name or domain", "no mail exchanger", "illegal host/domain", "does not accept mail",
        "accept any mail",
    )),
    (Cause.ADDRESS_UNKNOWN, (
        "no such mailbox", "unknown recipient", "recipient address rejected", "does not exist",
        "doesn't exist", "not a known user", "invalid recipient", "recipient unknown", "no mailbox",
        "recipient not found", "address unknown", "unknown address", "user not found", "not our customer",
        "no user", "mailbox unavailable", "mailbox not found", "not exist", "this account",
        "account is disabled", "account that you tried to reach", "invalid mailbox", "disabled",
        "no longer active", "email address could not be found", "address not present", "unknown mailbox",
        "bad recipient", "inactive",
    )),
    (Cause.TOO_BIG, ("message too big", "too large", "size exceeds", "message size", "maximum size")),
    (Cause.UNREACHABLE, (
        "timed out", "timeout", "connection refused", "no route", "lost connection", "connection reset",
        "loop", "too many hops", "temporar", "unreachable", "retry time", "network",
        "delivery time expired", "hop count",
    )),
)  # fmt: skip

_BY_STATUS: tuple[tuple[str, Cause], ...] = (
    ("1.6", Cause.ADDRESS_MOVED), ("1.2", Cause.HOST_UNKNOWN), ("4.4", Cause.HOST_UNKNOWN),
    ("1.1", Cause.ADDRESS_UNKNOWN), ("1.3", Cause.ADDRESS_UNKNOWN), ("1.10", Cause.ADDRESS_UNKNOWN),
    ("2.1", Cause.ADDRESS_UNKNOWN), ("2.2", Cause.MAILBOX_FULL),
    ("2.3", Cause.TOO_BIG), ("3.4", Cause.TOO_BIG),
    ("1.7", Cause.REFUSED), ("1.8", Cause.REFUSED), ("7.", Cause.REFUSED), ("6.", Cause.REFUSED),
    ("4.", Cause.UNREACHABLE), ("3.", Cause.UNREACHABLE),
)  # fmt: skip


def _cause(text: str, status: str) -> Cause:
    """The words of the server first: codes are often generic or wrong; then the enhanced status code."""
    text = " ".join(text.lower().split())
    if "after mail from" in text or "in reply to mail from" in text:
        return Cause.REFUSED  # it was our own address that was not liked
    text = _ADDRESS_LIKE.sub(" ", text)
    for cause, phrases in _BY_WORDS:
        if any(phrase in text for phrase in phrases):
            return cause
    detail = status[2:]
    return next(
        (cause for code, cause in _BY_STATUS if detail == code or detail.startswith(code)), Cause.UNSAID
    )
