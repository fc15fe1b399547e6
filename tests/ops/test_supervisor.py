"""The process tree with tiny children: shells and pythons that write down what happens to them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.ops.postgres.desks import until
from tierdesk.ops.postgres import find_binaries
from tierdesk.ops.postgres.home import Home
from tierdesk.ops.postgres.postmaster import Sign
from tierdesk.ops.supervisor import (
    BETWEEN_KNOCKS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STEADY_AFTER,
    Child,
    Door,
    Tended,
    pause_after,
    serve_tree,
    web,
)

SUPERVISE = """
import json, os, sys
from tierdesk.ops.supervisor import Child, supervise
raise SystemExit(supervise([Child(*child) for child in json.loads(sys.argv[1])], environ=os.environ))
"""

RUN_TREE = """
import json, os, sys
from pathlib import Path
from tierdesk.ops.supervisor import Child, run_tree
home, first, children = json.loads(sys.argv[1])
children = [Child(*child) for child in children]
raise SystemExit(run_tree(home=Path(home), environ=os.environ, first=first, children=children))
"""

STAYS = "echo here >> {diary}; while :; do sleep 0.01; done"
LEAVES_POLITELY = "trap 'echo {name} >> {diary}; exit' TERM; " + STAYS
IGNORES_REQUESTS = "trap '' TERM; " + STAYS
ASKS_THE_DATABASE_AS_IT_LEAVES = """
import os, psycopg, signal, sys, time
diary = open(sys.argv[1], "a", buffering=1)
def leave(*_):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        print(*connection.execute("select word from remembered").fetchone(), file=diary)
    raise SystemExit
signal.signal(signal.SIGTERM, leave)
print("here", file=diary)
time.sleep(600)
"""
REMEMBERS = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("create table remembered as select 'migrated' as word")
"""

Start = Callable[[str, object], subprocess.Popen[str]]


def test_a_child_that_ends_is_started_again_even_if_it_ended_well(start: Start, diary: Path) -> None:
    start(SUPERVISE, [shell("web", f"echo came >> {diary}")])
    assert until(lambda: lines(diary).count("came") >= 2)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_children_leave_in_the_order_given(start: Start, diary: Path, told: signal.Signals) -> None:
    children = [shell(name, LEAVES_POLITELY.format(name=name, diary=diary)) for name in ("web", "worker")]
    supervisor = start(SUPERVISE, children)
    assert until(lambda: lines(diary) == ["here", "here"])
    supervisor.send_signal(told)
    assert supervisor.wait(10) == 0
    assert lines(diary)[2:] == ["web", "worker"]


def test_a_child_that_does_not_leave_is_killed_after_its_grace(start: Start, diary: Path) -> None:
    supervisor = start(SUPERVISE, [(*shell("web", IGNORES_REQUESTS.format(diary=diary)), 0.2)])
    assert until(lambda: lines(diary) == ["here"])
    supervisor.terminate()
    assert "web does not leave: killed" in supervisor.communicate(timeout=10)[1]
    assert supervisor.returncode == 0


def test_a_second_request_ends_the_patience(start: Start, diary: Path) -> None:
    supervisor = start(SUPERVISE, [(*shell("web", IGNORES_REQUESTS.format(diary=diary)), 600.0)])
    assert until(lambda: lines(diary) == ["here"])
    supervisor.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        supervisor.wait(0.3)
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(10) == 0


def test_children_of_a_killed_supervisor_are_killed(start: Start, diary: Path) -> None:
    script = f"echo $$ >> {diary}; " + IGNORES_REQUESTS.format(diary=diary)
    supervisor = start(SUPERVISE, [shell("web", script)])
    assert until(lambda: lines(diary)[1:] == ["here"])
    child = Path(f"/proc/{lines(diary)[0]}")
    assert child.exists()
    supervisor.kill()
    assert until(lambda: not child.exists() or ") Z " in (child / "stat").read_text())


def test_a_program_that_does_not_exist_is_reported_and_tried_again(start: Start) -> None:
    supervisor = start(SUPERVISE, [("web", ["/no/such/program"])])
    assert supervisor.stderr
    said = "".join(supervisor.stderr.readline() for _ in range(6))
    assert said.count("/no/such/program: No such file or directory") == 2
    assert "web ended (1); next start in 0.5 s" in said
    assert "web ended (1); next start in 1 s" in said


@pytest.mark.parametrize(
    ("falls", "seconds"),
    [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, LONGEST_PAUSE), (1000, LONGEST_PAUSE)],
)
def test_each_fall_in_a_row_makes_the_pause_longer(falls: int, seconds: float) -> None:
    assert pause_after(falls) == seconds


def test_a_child_that_lived_long_is_forgiven_its_earlier_falls() -> None:
    told: list[str] = []
    tended = Tended(Child("web", ["false"]), os.environ, told.append)
    now = 0.0
    for _ in range(3):
        look_until_it_has_fallen(tended, now)
        now = tended.due
    assert tended.falls == 3
    tended.look(now)
    look_until_it_has_fallen(tended, now + STEADY_AFTER)
    assert (tended.falls, told[-1]) == (1, f"web ended (1); next start in {FIRST_PAUSE} s")


def test_the_tree_brings_its_own_database_and_takes_it_down_last(
    start: Start, home: Home, diary: Path
) -> None:
    worker = ("worker", [sys.executable, "-c", ASKS_THE_DATABASE_AS_IT_LEAVES, str(diary)])
    tree = start(RUN_TREE, (str(home.path), [sys.executable, "-c", REMEMBERS], [worker]))
    assert until(lambda: lines(diary) == ["here"])
    tree.terminate()
    assert tree.wait(20) == 0
    assert lines(diary) == ["here", "migrated"]
    assert Sign.read(home.data) is None


def test_a_killed_tree_leaves_no_process_behind(start: Start, home: Home, diary: Path) -> None:
    tree = start(RUN_TREE, (str(home.path), ["true"], [shell("web", STAYS.format(diary=diary))]))
    assert until(lambda: lines(diary) == ["here"])
    tree.kill()
    tree.wait()
    assert until(lambda: Sign.read(home.data) is None)


def test_nothing_is_served_when_the_first_command_fails(start: Start, home: Home, diary: Path) -> None:
    tree = start(RUN_TREE, (str(home.path), ["sh", "-c", "exit 3"], [shell("web", f"echo came >> {diary}")]))
    assert tree.wait(20) == 3
    assert lines(diary) == []
    assert Sign.read(home.data) is None


def test_a_tree_told_to_leave_before_it_stands_goes_down_in_order(
    start: Start, home: Home, diary: Path
) -> None:
    tree = start(RUN_TREE, (str(home.path), ["sh", "-c", f"echo migrating >> {diary}; exec sleep 600"], []))
    assert until(lambda: lines(diary) == ["migrating"])
    tree.terminate()
    assert tree.wait(20) == 128 + signal.SIGTERM
    assert Sign.read(home.data) is None


def test_a_database_of_ones_own_is_used_as_it_is(
    start: Start, home: Home, diary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/desk")
    child = shell("web", f"echo $DATABASE_URL >> {diary}; exec sleep 600")
    tree = start(RUN_TREE, (str(home.path), ["true"], [child]))
    assert until(lambda: lines(diary) == ["postgresql://db.example/desk"])
    tree.terminate()
    assert tree.wait(10) == 0
    assert not home.data.exists()


def test_a_database_that_cannot_start_is_a_sentence_not_a_traceback(start: Start, home: Home) -> None:
    (home.path / "pg9").mkdir()
    tree = start(RUN_TREE, (str(home.path), ["true"], []))
    said = tree.communicate(timeout=10)[1]
    assert tree.returncode == 1
    assert "pg9 was written by another PostgreSQL" in said
    assert "Traceback" not in said


def test_a_taken_port_is_noticed_before_anything_starts(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve_tree(home=home.path, host="127.0.0.1", port=port, environ={}) == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in capsys.readouterr().err
    assert list(home.path.iterdir()) == []


def test_visitors_are_welcomed_once_and_not_before_the_door_opens() -> None:
    welcomed: list[str] = []
    with socket.socket() as desk:
        desk.bind(("127.0.0.1", 0))
        door = Door("127.0.0.1", desk.getsockname()[1], lambda: welcomed.append("welcome"))
        assert (door.look(0), welcomed) == (BETWEEN_KNOCKS, [])
        desk.listen()
        assert (door.look(1), welcomed) == (LONGEST_PAUSE, ["welcome"])
        assert (door.look(2), welcomed) == (LONGEST_PAUSE, ["welcome"])


def test_the_web_listens_where_it_was_told() -> None:
    command = list(web("::1", 8123).command)
    assert command[command.index("--host") + 1] == "::1"
    assert command[command.index("--port") + 1] == "8123"


def shell(name: str, script: str) -> tuple[str, Sequence[str]]:
    return (name, ["sh", "-c", script])


def lines(diary: Path) -> list[str]:
    return diary.read_text().splitlines() if diary.exists() else []


def look_until_it_has_fallen(tended: Tended, now: float) -> None:
    """Looks at one and the same instant: it starts what is due, then waits for its end."""
    tended.look(now)
    assert until(lambda: bool(tended.look(now)) and tended.process is None)


@pytest.fixture(autouse=True)
def _no_database_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


@pytest.fixture
def home() -> Iterator[Home]:
    """Empty, and with a short path: those that pytest makes are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True) as directory:
        yield Home(Path(directory).resolve(), find_binaries().major)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(program: str, argument: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, json.dumps(argument)]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        started.append(subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()
