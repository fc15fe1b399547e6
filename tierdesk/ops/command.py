"""The `tierdesk` command: everything that somebody who runs a desk does with it.

Without DATABASE_URL every sub-command joins, or starts, the embedded PostgreSQL in the data folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tierdesk.core import garbage
from tierdesk.ops.postgres import Cluster, UnableToStart, wait_until_free

type Run = Callable[[argparse.Namespace], int]

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: the database did not come up; a mail server that pipes mail to us keeps it."""

DJANGO_COMMANDS = {
    "migrate",
    "makemigrations",
    "check",
    "shell",
    "showmigrations",
    "sqlmigrate",
}
ALONE_WITHIN = 20.0
"""Seconds that a demo waits for another one to leave its home: one is stopped and started again in a breath."""

FIRST_COMMANDS = {"apply", "createadmin", "export"}
"""What people do with a desk before it is served for the first time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")
    try:
        return _obey(words)
    except UnableToStart as trouble:
        _say(str(trouble))
        return TRY_AGAIN


def _say(line: str) -> None:
    print(f"tierdesk: {line}", file=sys.stderr, flush=True)


def _obey(words: list[str]) -> int:
    if words and words[0] in DJANGO_COMMANDS:
        with database():
            return _django(words)
    options = _parser().parse_args(words)
    if hasattr(options, "port"):
        # Links in mails lead here, unless somebody said where the desk is found from outside.
        os.environ.setdefault("TIERDESK_URL", f"http://127.0.0.1:{options.port}")
    if options.command == "serve":
        return _serve(options)
    if options.command == "demo" and not os.environ.get("DATABASE_URL"):
        wait_until_free(home() / "postgres", patience=ALONE_WITHIN, say=_say)
    with database():
        garbage.hold_off()
        import django

        django.setup()
        run = _run(options.module)
        garbage.settle_in()
        if options.command in FIRST_COMMANDS:
            _make_tables()
        return run(options)


def _make_tables() -> None:
    """Migrate a database that is still empty; one that is not is left to `serve` and `migrate`."""
    from django.core.management import call_command
    from django.db import connection

    from tierdesk.core.roles import owner

    with owner():
        if "django_migrations" not in connection.introspection.table_names():
            call_command("migrate", verbosity=0)


def home() -> Path:
    """The data folder: TIERDESK_HOME, or ./data."""
    return Path(os.environ.get("TIERDESK_HOME", "data")).resolve()


@contextmanager
def database() -> Iterator[None]:
    """Make sure DATABASE_URL names a running server, the embedded one if none is given."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    with Cluster(home() / "postgres") as cluster:
        os.environ["DATABASE_URL"] = cluster.url
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
            del os.environ["DATABASE_URL"]


def _serve(options: argparse.Namespace) -> int:
    from tierdesk.ops.supervisor import serve_tree

    return serve_tree(home=home() / "postgres", host=options.host, port=options.port, environ=os.environ)


def _django(words: list[str]) -> int:
    garbage.hold_off()
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    from tierdesk.core.roles import owner

    garbage.settle_in()
    with owner():
        execute_from_command_line(["tierdesk", *words])
    return 0


def _run(module: str) -> Run:
    run: Run = import_module(f"tierdesk.ops.{module}").run
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tierdesk", description="A service desk with tiers, L1 to L4.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run web, worker and (without DATABASE_URL) the database")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)

    _add(commands, "worker", "run the wake-up engine, the job queue and the mail listener", module="worker")

    apply = _add(
        commands, "apply", "make the desk as the file says, showing the difference first", module="apply"
    )
    apply.add_argument("file", type=Path, help="the desk, as YAML")
    apply.add_argument("--dry-run", action="store_true", help="show the difference and change nothing")

    export = _add(commands, "export", "write the desk as YAML", module="export")
    export.add_argument("file", type=Path, nargs="?", help="where to (default: standard output)")

    admin = _add(
        commands, "createadmin", "make an administrator, or give one a new password", module="createadmin"
    )
    admin.add_argument("email")
    admin.add_argument("--name", default="Administrator")
    admin.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    token = _add(commands, "token", "make a key to the API for an agent, and show it once", module="token")
    token.add_argument("email")
    token.add_argument("--name", default="command line", help="what the program is called")

    _add(
        commands,
        "doctor",
        "look whether everything is in order, and say what to do where not",
        module="doctor",
    )

    clocks = _add(
        commands, "clocks", "compute every clock again from the timelines and compare", module="clocks"
    )
    clocks.add_argument(
        "act",
        choices=("verify", "repair", "whatif"),
        help="say what differs (exit status 1 if anything does), or set it right with an entry on each ticket; "
        "or replay the last days' tickets under a draft's contracts, and write nothing",
    )
    clocks.add_argument("--draft", type=Path, help="for whatif: a desk file with other contracts")
    clocks.add_argument("--days", type=int, default=90, help="for whatif: tickets of so many days")
    clocks.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many compute at once")

    history = _add(
        commands, "import", "tell the log of another desk, each event at its own time", module="history.run"
    )
    history.add_argument("file", type=Path, help="an event log in XES, gzipped or not")
    history.add_argument("--client", required=True, help="the key of the client whose tickets they are")
    history.add_argument("--most", type=int, help="only so many tickets")

    simulate = _add(
        commands,
        "simulate",
        "say what happens, who is called and when, if a ticket comes in at an instant; writes nothing",
        module="simulate",
    )
    simulate.add_argument("--client", required=True, help="whose ticket, by the client's key")
    simulate.add_argument("--at", required=True, help="when: a local time such as 2026-12-25T03:10")
    simulate.add_argument("--zone", default="", help="of which zone that time is (default: the client's)")
    simulate.add_argument("--priority", default="1", help="1 (critical) to 5 (default: 1)")
    simulate.add_argument("--service", default="", help="a service's key")
    simulate.add_argument("--category", default="", help="a category such as network/vpn")
    simulate.add_argument("--channel", default="email", help="how it comes in (default: email)")
    simulate.add_argument("--json", action="store_true", help="as JSON, with instants in UTC")

    backup = _add(commands, "backup", "write database and secrets into one archive", module="backup")
    backup.add_argument("file", type=Path)

    restore = _add(
        commands, "restore", "put a backup back; refuses to overwrite a desk with tickets", module="restore"
    )
    restore.add_argument("file", type=Path)
    restore.add_argument("--force", action="store_true", help="overwrite what is there")

    demo = _add(commands, "demo", "fill a living desk, serve it and say where to log in", module="demo.run")
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--days", type=int, default=21, help="how many days of history to live through")
    demo.add_argument("--fill-only", action="store_true", help="fill the desk and stop")

    mail = _add(
        commands, "receive-mail", "take one mail from standard input (for a pipe transport)", module="receive"
    )
    mail.add_argument("recipients", nargs="+", metavar="ADDRESS", help="the addresses it was delivered to")
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, *, module: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(module=module)
    return command


if __name__ == "__main__":
    sys.exit(main())
