"""`tierdesk createadmin`: make an administrator, or give one a new password."""

from __future__ import annotations

import argparse
import getpass
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.staff.models import User


class AdminRefused(ValueError):
    """An administrator cannot be made of this; the text says what to do."""


def run(options: argparse.Namespace) -> int:
    """Make the administrator; 1 and a sentence if that cannot be."""
    try:
        check_address(options.email)
        password = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else ask_password()
        user, is_new = make_admin(options.email, name=options.name, password=password)
    except AdminRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{user.email} is now an administrator." if is_new else f"{user.email} has the new password.")
    return 0


def ask_password() -> str:
    """The password, typed twice without being shown. Raises AdminRefused where nobody can type or they differ."""
    if not sys.stdin.isatty():
        raise AdminRefused("There is no terminal to type a password in; use --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise AdminRefused("The two passwords differ; run the command again.")
    return password


def check_address(email: str) -> None:
    """Raises AdminRefused for what is no mail address."""
    try:
        validate_email(email)
    except ValidationError as fault:
        raise AdminRefused(f"“{email}” is not a mail address; write such as you@your.example.") from fault


def make_admin(email: str, *, name: str, password: str) -> tuple[User, bool]:
    """An administrator with that password, and whether the account is new. Raises AdminRefused."""
    check_address(email)
    if not password:
        raise AdminRefused("The password is empty; give one.")
    with seeing(EVERY_CLIENT):
        found = User.objects.filter(email=email.strip().lower()).first()
        user = found or User(email=email.strip().lower(), name=name)
        try:
            validate_password(password, user)
        except ValidationError as fault:
            raise AdminRefused(" ".join(fault.messages)) from fault
        user.is_admin = user.is_active = True
        user.set_password(password)
        user.save()
    return user, found is None
