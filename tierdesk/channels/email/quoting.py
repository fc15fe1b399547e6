"""What is new in a reply, and what is only the earlier mail quoted below, above or between.

Every rule works on lines and looks at most a few lines ahead, so time is linear in the text.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

_ATTRIBUTION_LINES = 4
_LINE_CHARS = 400
_SIGNATURE_LINES = 30
_FOOTER_LINES = 8

_QUOTED = re.compile(r"[ \t]{0,3}>")
_SIGNATURE = re.compile(r"--[ \t]?")
_RULE = re.compile(r"\W{0,3}[_-]{10,}\W{0,3}")
_SIGN_OFF = re.compile(r"-{1,2}[^\W\d][\w.']*(?: [\w.']+){0,3}")
_SENT_FROM = re.compile(
    r"(?:Sent from my|Sent via|Sent from (?:Outlook|Yahoo|Mail|Proton|Samsung)|Get Outlook for|"
    r"Gesendet (?:von|mit)|"
    r"Von meinem|Envoyé (?:de|depuis)|Enviado (?:desde|do|de)|Inviato da|Verzonden (?:vanaf|met)|"
    r"Skickat från|"
    r"Sendt fra|Wysłane z|Odesláno z|Отправлено (?:с|из))\b(?: [\w+&®-]+){1,6}\W{0,2}",
    re.IGNORECASE,
)

# "On Tuesday … wrote:" in the forms of common mail programs; the verb may stand before the name.
_SAID = re.compile(
    r"\b(?:wrote|writes|schrieb|schreef|a écrit|escribió|ha scritto|scrisse|escreveu|skrev|kirjoitti|"
    r"napsal(?:a|\(a\))?|"
    r"napisał(?:a|\(a\))?|pisze|написал(?:а|\(а\))?|пишет|пише|yazdı|írta|a scris|έγραψε)\b|>\s?wrote\b|"
    r"写道|寫道|書きました",
    re.IGNORECASE,
)
_SAID_WHEN = re.compile(
    r"\W*(?:On|Am|Le|El|Il|Op|Em|Den|Dne|Dnia|W dniu|At|V|Στις|Pe|Il giorno|\d{1,4}[./-]|20\d\d年?|В|Пн|Вт|"
    r"Ср|Чт|Пт|Сб|Вс|在)"
    r"(?=[\s\d,.])",
    re.IGNORECASE,
)
_GMAIL_DATE_LINE = re.compile(r"\d{4}-\d\d-\d\d .{0,120}<[^<>\s]+@[^<>\s]+>:")

_ORIGINAL = re.compile(
    r"\W*-{2,}\s*(?:Original Message|Original Appointment|Ursprüngliche Nachricht|Message d'origine|"
    r"Mensaje original|"
    r"Messaggio originale|Oorspronkelijk bericht|Mensagem original|Ursprungligt meddelande|"
    r"Oprindelig meddelelse|"
    r"Původní zpráva|Исходное сообщение|Oryginalna wiadomość)\s*-{2,}\W*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\W*(?:-{2,}\s*(?:Forwarded message|Forwarded by .{1,80}|Weitergeleitete Nachricht|Message transféré|"
    r"Mensaje reenviado|Messaggio inoltrato|Doorgestuurd bericht|Mensagem encaminhada|"
    r"Přeposlaná zpráva)\s*-*|"
    r"Begin forwarded message:|Anfang der weitergeleiteten (?:Nachricht|E-Mail):)\W*",
    re.IGNORECASE,
)
_HEAD_FROM = re.compile(
    r"[\s*]*(?:From|Von|De|Da|Van|Från|Fra|Od|От|Lähettäjä|发件人|差出人)\**\s?[:：]", re.IGNORECASE
)
_HEAD_OTHER = re.compile(
    r"[\s*]*(?:Sent|Date|To|Cc|Subject|Importance|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado|"
    r"Enviado el|Fecha|Para|"
    r"Asunto|Assunto|Inviato|Data|A|Oggetto|Verzonden|Aan|Onderwerp|Skickat|Till|Ämne|Sendt|Til|Emne|"
    r"Odesláno|Komu|"
    r"Předmět|Отправлено|Кому|Тема|发送时间|收件人|主题|送信日時|宛先|件名)\**\s?[:：]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """`new` is what the sender wrote now, `quoted` what was said before, `signature` what closes the mail.

    `answers_inline`: the new words stand between quoted ones and are hard to follow without them.
    """

    new: str
    quoted: str = ""
    signature: str = ""
    answers_inline: bool = False


class _Kind(Enum):
    NEW = auto()
    QUOTED = auto()
    SIGNATURE = auto()


def split(text: str) -> Reply:
    """Takes a reply apart. A forwarded message counts as new: its sender brings it for the first time."""
    lines = text.split("\n")
    kinds = [_Kind.QUOTED if _QUOTED.match(line) else _Kind.NEW for line in lines]
    forwarded_at = _first(lines, _FORWARDED, len(lines))
    _mark_attributions(lines, kinds, forwarded_at)
    _mark_earlier_mail(lines, kinds, forwarded_at)
    _mark_signatures(lines, kinds, forwarded_at)
    return Reply(
        new=_joined(lines, kinds, _Kind.NEW),
        quoted=_joined(lines, kinds, _Kind.QUOTED),
        signature=_joined(lines, kinds, _Kind.SIGNATURE),
        answers_inline=_count_answers(lines, kinds) > 1,
    )


def _first(lines: list[str], pattern: re.Pattern[str], default: int) -> int:
    return next((at for at, line in enumerate(lines) if len(line) < 200 and pattern.fullmatch(line)), default)


def _mark_attributions(lines: list[str], kinds: list[_Kind], end: int) -> None:
    """ "On … wrote:" belongs to the quote it announces; without ">" all that follows it is the quote."""
    first_new = 0
    for at in range(end):
        if kinds[at] is not _Kind.NEW or not lines[at].rstrip().endswith((":", "：")):
            continue
        start = _attribution_start(lines, kinds, at)
        if start is None:
            continue
        _mark(kinds, start, at + 1, _Kind.QUOTED)
        first_new = _next_new(lines, kinds, first_new, end)
        following = _next_filled(lines, at + 1, end)
        if following < end and kinds[following] is _Kind.NEW and first_new < start:
            _mark(kinds, at + 1, end, _Kind.QUOTED)
            return


def _attribution_start(lines: list[str], kinds: list[_Kind], at: int) -> int | None:
    """Mail programs break the attribution over up to four lines."""
    joined = ""
    for start in range(at, max(-1, at - _ATTRIBUTION_LINES), -1):
        if not lines[start].strip() or kinds[start] is not _Kind.NEW or len(lines[start]) > _LINE_CHARS:
            break
        joined = f"{lines[start].strip()} {joined}"
        told = _SAID.search(joined) and any(char.isdecimal() or char == "@" for char in joined)
        if told and _SAID_WHEN.match(joined):
            return start
    line = lines[at].strip()[:_LINE_CHARS]
    if _GMAIL_DATE_LINE.fullmatch(line) or (_SAID.search(line) and "@" in line and not line.startswith("<")):
        return at
    return None


def _mark_earlier_mail(lines: list[str], kinds: list[_Kind], end: int) -> None:
    """A separator or a block of headers as Outlook writes it: the earlier mail, whole, to the end."""
    for at in range(end):
        if kinds[at] is _Kind.NEW and (_is_original_mark(lines[at]) or _is_header_block(lines, at, end)):
            before = at
            while before and (not lines[before - 1].strip() or _is_rule(lines[before - 1])):
                before -= 1
            if _next_new(lines, kinds, 0, end) < before:
                _mark(kinds, before, end, _Kind.QUOTED)
            return


def _is_original_mark(line: str) -> bool:
    return len(line) < 200 and _ORIGINAL.fullmatch(line) is not None


def _is_rule(line: str) -> bool:
    return len(line) < 200 and _RULE.fullmatch(line.strip()) is not None


def _is_header_block(lines: list[str], at: int, end: int) -> bool:
    if not _HEAD_FROM.match(lines[at]):
        return False
    others = sum(_HEAD_OTHER.match(line) is not None for line in lines[at + 1 : min(at + 7, end)])
    return others >= 2


def _mark_signatures(lines: list[str], kinds: list[_Kind], end: int) -> None:
    _mark_delimited_signatures(lines, kinds, end)
    if end < len(lines):
        return  # a forwarded mail follows; its end is not ours to trim
    _mark_list_footer(lines, kinds)
    for closing in (_SENT_FROM, _SIGN_OFF):
        last = _last_new(lines, kinds)
        if last > 0 and len(lines[last]) < 100 and closing.fullmatch(lines[last].strip()):
            kinds[last] = _Kind.SIGNATURE


def _mark_delimited_signatures(lines: list[str], kinds: list[_Kind], end: int) -> None:
    """ "-- " and the lines after it, up to a quote or the end, unless they are too many for a signature."""
    at = 0
    while at < end:
        if kinds[at] is _Kind.NEW and _SIGNATURE.fullmatch(lines[at]):
            after = at
            while after < end and kinds[after] is _Kind.NEW:
                after += 1
            if after - at <= _SIGNATURE_LINES:
                _mark(kinds, at, after, _Kind.SIGNATURE)
            at = after
        at += 1


def _mark_list_footer(lines: list[str], kinds: list[_Kind]) -> None:
    """A mailing list's footer: a long rule and a few lines, last in the mail."""
    for at in [at for at, line in enumerate(lines) if line.strip()][-_FOOTER_LINES:]:
        if kinds[at] is _Kind.NEW and lines[at].startswith("__________") and _is_rule(lines[at]):
            _mark(kinds, at, len(lines), _Kind.SIGNATURE)
            return


def _mark(kinds: list[_Kind], start: int, end: int, kind: _Kind) -> None:
    kinds[start:end] = [kind] * (end - start)


def _next_new(lines: list[str], kinds: list[_Kind], start: int, end: int) -> int:
    return next((at for at in range(start, end) if kinds[at] is _Kind.NEW and lines[at].strip()), end)


def _last_new(lines: list[str], kinds: list[_Kind]) -> int:
    """The last line with new words, -1 if there is none."""
    backwards = range(len(lines) - 1, -1, -1)
    return next((at for at in backwards if kinds[at] is _Kind.NEW and lines[at].strip()), -1)


def _next_filled(lines: list[str], start: int, end: int) -> int:
    return next((at for at in range(start, end) if lines[at].strip()), end)


def _joined(lines: list[str], kinds: list[_Kind], kind: _Kind) -> str:
    """The lines of one kind; where others stood between them, one empty line stands."""
    kept: list[str] = []
    for at, line in enumerate(lines):
        if kinds[at] is kind:
            kept.append(line.rstrip())
        elif kept and kept[-1]:
            kept.append("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


def _count_answers(lines: list[str], kinds: list[_Kind]) -> int:
    """How often new words follow directly upon quoted ones."""
    told = [kinds[at] for at in range(len(lines)) if lines[at].strip()]
    return sum(a is _Kind.QUOTED and b is _Kind.NEW for a, b in pairwise(told))
