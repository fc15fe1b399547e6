"""Whether an answer only says thank you: then what was resolved stays so (M27, D05).

It must be sure, because a mistake leaves somebody with their trouble: every word must be one of thanks or of courtesy,
and anything else (a question, a figure, a "not") makes it an ordinary answer. Whoever works the ticket reads it anyhow.
"""

from __future__ import annotations

import re

MOST_WORDS = 30

_THANKS = {
    "thank", "thanks", "thanx", "thx", "ty", "cheers", "danke", "dank", "dankeschön", "merci", "gracias", "grazie",
    "bedankt", "dankjewel", "obrigado", "obrigada", "tack", "tak", "kiitos", "dziękuję", "díky", "děkuji",
}  # fmt: skip
_COURTESY = {
    *"you very much many so a lot all everyone team for your the this that it is was help support quick fast".split(),
    *"fixing solving answer reply works working worked now again fine great perfect good well super excellent".split(),
    *"solved fixed resolved problem issue done again indeed really kind and i we hi hello dear".split(),
    *"regards best kindest warm sincerely greetings have nice day weekend".split(),
    *"vielen herzlichen besten schön sehr für die das ihre eure deine schnelle hilfe unterstützung es geht".split(),
    *"funktioniert läuft jetzt nun wieder alles klar gut prima perfekt bestens toll hat geklappt ist gelöst".split(),
    *"mit freundlichen grüßen grüße viele liebe beste lg vg mfg hallo guten tag schönen wochenende".split(),
    *"und ihnen euch".split(),
    *"beaucoup bien à vous pour votre aide parfait cordialement bonne journée bonjour ça marche maintenant".split(),
    *"muchas mille molte heel erg hartelijk veel voor je uw hulp".split(),
}
_WORD = re.compile(r"[^\W_]+")
# A greeting and at most two names: words that begin with a capital.
_GREETING = re.compile(
    r"\s*(?i:hi|hello|hey|dear|hallo|liebe[rs]?|guten tag|bonjour|hola|ciao|beste)"
    r"(?:[ \t]+[A-ZÀ-ÖØ-Þ][\w.-]{0,40}){0,2}[ \t]*[,!]?[ \t]*\n+"
)


def is_only_thanks(words: str, *, name: str = "") -> bool:
    """Whether `words`, without quotes and signature, are thanks alone; `name` is the sender's."""
    said = _GREETING.sub("", words, count=1) if _GREETING.match(words) else words
    if "?" in said:
        return False
    heard = [word.lower() for word in _WORD.findall(said)]
    own = {word.lower() for word in _WORD.findall(name)}
    if not heard or len(heard) > MOST_WORDS or not _THANKS & set(heard):
        return False
    return all(word in _THANKS or word in _COURTESY or word in own for word in heard)
