"""Desk as code: one YAML file says what the desk is; `apply` makes it so, `export` writes it back.

lines.py     YAML nodes that know their line, and everything found wrong with them
shapes.py    what a value may look like, in the file's notation
schema.py    fields and sections: how an item is read, compared and saved
sections.py  the table of all sections: the only place that names models and columns
versions.py  what is published in versions: calendars, contracts, procedures, books
checks.py    what only the whole file can get wrong: references, circles, tiers that nobody holds
resolved.py  what shows when names are looked up: ways that lead back, hours that never come, teams of nobody
change.py    the difference, and applying it in one transaction
export.py    the desk as YAML
"""
