from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.postgres.desks import until
from tierdesk.ops.leash import leashed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the leash (prctl)")

STARTER = """
import signal, subprocess, sys
from tierdesk.ops.leash import leashed
child = subprocess.Popen(leashed(["sleep", "60"], on_death=signal.SIGKILL), stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


def test_a_leashed_program_dies_with_its_starter() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert starter.stdout
    child = int(starter.stdout.readline())
    assert until(lambda: command_of(child) == ["sleep", "60"])
    starter.kill()
    starter.communicate()
    assert until(lambda: command_of(child) == [])


def test_a_program_whose_starter_has_gone_already_does_not_run(tmp_path: Path) -> None:
    command = leashed(["touch", str(tmp_path / "ran")], on_death=signal.SIGKILL)
    command[command.index(str(os.getpid()))] = "1"
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "the starter has gone"
    assert not (tmp_path / "ran").exists()


def test_a_leashed_program_keeps_its_arguments_input_and_status() -> None:
    shell = ["sh", "-c", 'cat; echo "$1"; exit 7', "sh", "two words"]
    ended = subprocess.run(
        leashed(shell, on_death=signal.SIGTERM), input="heard ", capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.returncode) == ("heard two words\n", 7)


def test_nobody_is_not_root_but_writes_files_as_whoever_started_it(tmp_path: Path) -> None:
    shell = ["sh", "-c", f"id -u; touch {tmp_path}/made"]
    command = leashed(shell, on_death=signal.SIGTERM, as_nobody=True)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == "65534\n", ended.stderr
    assert (tmp_path / "made").stat().st_uid == os.geteuid()


def test_where_namespaces_are_forbidden_it_says_what_to_do_instead() -> None:
    none_left = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    command = leashed(["true"], on_death=signal.SIGTERM, as_nobody=True)
    # A namespace of its own, whose limit of further ones can be set to none without touching this machine.
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", none_left, "sh", *command]
    ended = subprocess.run(inside, capture_output=True, text=True, check=False)
    if "unshare" in ended.stderr.splitlines()[0]:
        pytest.skip(f"no user namespace to be had here: {ended.stderr}")
    assert ended.returncode == 1
    assert "Run Tierdesk as a normal user" in ended.stderr
    assert "set DATABASE_URL" in ended.stderr


def command_of(pid: int) -> list[str]:
    """The words a process was started with; none when it has ended."""
    try:
        return [word.decode() for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if word]
    except FileNotFoundError:
        return []
