from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tierdesk.ops.postgres import Cluster, UnableToStart, wait_until_free
from tierdesk.ops.postgres.home import LOCK, LONGEST_SOCKET_PATH, SOCKET, Home, Lock

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")


@pytest.mark.parametrize("depth", [0, 1, 10, 40])
def test_a_socket_always_fits_its_address(tmp_path: Path, depth: int) -> None:
    home = Home(tmp_path / "/".join(["deeper"] * depth), 18)
    assert len(os.fsencode(home.socket_directory() / SOCKET)) <= LONGEST_SOCKET_PATH


def test_deep_homes_do_not_share_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert Home(deep / "one", 18).socket_directory() != Home(deep / "two", 18).socket_directory()


def test_the_place_of_the_socket_does_not_depend_on_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / ("d" * 120), 18)
    before = home.socket_directory()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    monkeypatch.setenv("TMPDIR", "/var/tmp")
    assert home.socket_directory() == before


@as_root
def test_a_home_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(UnableToStart, match="belongs to user id 65534"):
        Cluster(tmp_path).start()


@as_root
def test_a_socket_directory_laid_out_by_somebody_else_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / ("d" * 120), 18)
    home.socket_directory().mkdir()
    os.chown(home.socket_directory(), 65534, 65534)
    try:
        with pytest.raises(UnableToStart, match="is not a directory of user id 0"):
            home.furnish()
    finally:
        home.socket_directory().rmdir()


def test_a_socket_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnableToStart, match="is not a directory"):
        Home(tmp_path, 18).furnish()


def test_a_socket_directory_that_others_can_enter_is_closed(tmp_path: Path) -> None:
    home = Home(tmp_path, 18)
    home.socket_directory().mkdir(mode=0o755)
    assert home.furnish().stat().st_mode & 0o777 == 0o700


def test_a_cluster_of_another_major_version_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "pg17").mkdir()
    with pytest.raises(UnableToStart, match="pg17 was written by another PostgreSQL than the 18"):
        Home(tmp_path, 18).furnish()
    (tmp_path / "pg18").mkdir()
    assert Home(tmp_path, 18).furnish()


def test_an_unfinished_cluster_of_another_version_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "pg17.tmp-0123").mkdir()
    assert Home(tmp_path, 18).furnish()


def test_a_lock_has_one_holder_and_returns_when_it_closes(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.close()
    assert second.take()
    second.close()


def test_a_cluster_needs_a_home_it_can_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnableToStart, match="cannot start"):
        Cluster(tmp_path / "file").start()
    shutil.rmtree(tmp_path)


def test_a_home_that_nobody_has_or_ever_had_is_free(tmp_path: Path) -> None:
    said: list[str] = []
    for home in (tmp_path, tmp_path / "nowhere"):
        wait_until_free(home, patience=0, say=said.append)
    Lock(tmp_path / LOCK).close()
    wait_until_free(tmp_path, patience=0, say=said.append)
    assert said == []
    assert not (tmp_path / "nowhere").exists()


def test_whoever_waits_for_a_home_is_told_who_has_it_and_gets_it_when_they_leave(tmp_path: Path) -> None:
    lock, said = Lock(tmp_path / LOCK), list[str]()
    assert lock.take()

    def leave_when_told(line: str) -> None:
        said.append(line)
        lock.close()

    wait_until_free(tmp_path, patience=60, say=leave_when_told)
    assert len(said) == 1 and said[0].startswith(f"process {os.getpid()} has {tmp_path};")


def test_a_home_that_is_not_left_in_time_is_refused(tmp_path: Path) -> None:
    lock = Lock(tmp_path / LOCK)
    assert lock.take()
    with pytest.raises(UnableToStart, match=f"^process {os.getpid()} has still not left .*TIERDESK_HOME"):
        wait_until_free(tmp_path, patience=0, say=lambda line: None)
    lock.close()
