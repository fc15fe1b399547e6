"""The settings pages: administrators change in the browser what the desk's file says, one thing at a time.

words.py      what sections and fields are called on a page, and what they mean
offers.py     what a field that names another thing may be given
widgets.py    how a shape of the file is asked for in a form, and how what was typed becomes a part of the file again
rows.py       adding, taking out and moving the rows of a form without scripts
form.py       a thing as a form: what it says, and what is wrong with it
meanwhile.py  two administrators at once
changing.py   the desk as it is with one thing said anew, applied like any file
telling.py    differences and values in words
listing.py    things as lines of a list
naming.py     who names a thing
views.py      the pages; desk_file.py the whole file in an editor
"""
