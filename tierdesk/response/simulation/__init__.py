"""What happens if: a ticket lived through in advance, by the desk's own hands, and taken back.

situation.py  what somebody asks, read from words
rehearsal.py  the ticket opened and left alone in a transaction that is taken back
telling.py    what came of it, in order and in words
holes.py      what would go wrong, and what to do about it
"""
