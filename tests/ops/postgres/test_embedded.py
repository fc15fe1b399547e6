"""What an embedded database must live through. Desks are processes of their own, so that they can be
killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.ops.postgres.desks import OpenDesk, until
from tierdesk.ops.postgres import Cluster, UnableToStart, find_binaries
from tierdesk.ops.postgres.home import SOCKET, Home
from tierdesk.ops.postgres.postmaster import Sign

pytestmark = pytest.mark.xdist_group("embedded")


def test_a_cold_start_makes_the_database_and_a_warm_one_finds_it(empty_home: Home) -> None:
    with Cluster(empty_home.path) as cluster:
        ask(cluster.url, "create table note as select 'kept' as text")
        assert cluster.running
    assert not cluster.running
    with Cluster(empty_home.path) as cluster:
        assert ask(cluster.url, "select text, current_database() from note") == ("kept", "tierdesk")


def test_a_stopped_cluster_starts_again(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    cluster.stop()
    assert ask(cluster.start(), "select 1") == (1,)


def test_three_desks_that_start_at_once_share_one_postmaster(empty_home: Home, open_desk: OpenDesk) -> None:
    desks = [open_desk(empty_home.path) for _ in range(3)]
    started = {ask(desk.url(), "select pg_postmaster_start_time()") for desk in desks}
    assert len(started) == 1


def test_sigterm_shuts_down_cleanly(home: Home, open_desk: OpenDesk) -> None:
    desk = open_desk(home.path)
    desk.url()
    desk.process.terminate()
    assert desk.process.wait(10) == -signal.SIGTERM
    assert until(lambda: state(home) == "shut down")


def test_a_killed_owner_leaves_no_database_behind(home: Home, open_desk: OpenDesk) -> None:
    desk = open_desk(home.path)
    desk.url()
    assert state(home) == "in production"
    desk.process.kill()
    assert until(lambda: state(home) == "shut down")
    assert until(lambda: Sign.read(home.data) is None)


def test_a_new_owner_waits_for_the_postmaster_of_a_killed_one(home: Home, open_desk: OpenDesk) -> None:
    desk = open_desk(home.path)
    with psycopg.connect(desk.url()) as connection, connection.cursor() as cursor:
        cursor.execute("create table many as select generate_series(1, 300000) as n")
        connection.commit()
    desk.process.kill()
    desk.process.wait()
    with Cluster(home.path) as cluster:
        assert ask(cluster.url, "select count(*) from many") == (300000,)


def test_a_killed_postmaster_is_started_again(home: Home, open_desk: OpenDesk) -> None:
    url = open_desk(home.path).url()
    ask(url, "create table letter as select 'kept' as text")
    first = kill_postmaster(home)
    assert until(lambda: serves_anew(home, first))
    assert ask(url, "select text from letter") == ("kept",)


def test_no_second_postmaster_while_a_back_end_of_the_first_still_works(cluster: Cluster, home: Home) -> None:
    cluster.start()
    connection = busy_back_end(cluster.url)
    first = kill_postmaster(home)
    assert until(lambda: serves_anew(home, first))
    assert has_ended(connection.info.backend_pid)
    connection.close()


@pytest.mark.parametrize("is_dead", [False, True], ids=["a live process", "a zombie"])
def test_a_pid_that_someone_else_got_meanwhile_does_no_harm(
    home: Home, cluster: Cluster, stranger: Callable[[bool], int], is_dead: bool
) -> None:
    cluster.start()
    left_behind = [home.data / "postmaster.pid", home.socket_directory() / f"{SOCKET}.lock"]
    texts = [lock_file.read_text() for lock_file in left_behind]
    cluster.stop()
    for lock_file, text in zip(left_behind, texts, strict=True):
        lock_file.write_text(re.sub(r"^\d+", str(stranger(is_dead)), text))
    assert ask(cluster.start(), "select 1") == (1,)


def test_a_kill_in_the_middle_of_initdb_leaves_no_debris(empty_home: Home, open_desk: OpenDesk) -> None:
    desk = open_desk(empty_home.path)
    assert until(lambda: any(empty_home.path.glob("pg*.tmp-*/PG_VERSION")))
    desk.process.kill()
    assert not empty_home.data.exists()
    with Cluster(empty_home.path) as cluster:
        assert ask(cluster.url, "select current_database()") == ("tierdesk",)
    assert {found.name for found in empty_home.path.iterdir()} == {empty_home.data.name, "lock", "log", "run"}


@pytest.mark.skipif(os.geteuid() != 0, reason="as a normal user every other test is this one")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of util-linux")
def test_a_normal_user_starts_it_too(empty_home: Home, open_desk: OpenDesk) -> None:
    os.chown(empty_home.path, 65534, 65534)
    # The capability lets the user read our interpreter and checkout, which may lie in the home of root.
    reading = "dac_read_search"
    desk = open_desk(
        empty_home.path,
        *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
        *(f"--inh-caps=+{reading}", f"--ambient-caps=+{reading}"),
    )
    assert ask(desk.url(), "select 1") == (1,)
    assert (empty_home.data / "PG_VERSION").stat().st_uid == 65534


def test_a_follower_takes_over_when_the_owner_goes(home: Home, cluster: Cluster, open_desk: OpenDesk) -> None:
    owner = open_desk(home.path)
    owner.url()
    url = cluster.start()
    first = Sign.read(home.data)
    assert first
    owner.process.terminate()
    assert until(lambda: serves_anew(home, first.pid))
    assert until(lambda: cluster.running)
    assert ask(url, "select 1") == (1,)


def test_a_follower_that_stops_leaves_the_owners_database_alone(home: Home, cluster: Cluster) -> None:
    cluster.start()
    with Cluster(home.path) as follower:
        assert follower.running
    assert ask(cluster.url, "select 1") == (1,)


def test_nobody_else_reaches_the_database(cluster: Cluster, home: Home) -> None:
    cluster.start()
    private = [home.data, home.socket_directory(), home.log]
    assert {oct(directory.stat().st_mode & 0o777) for directory in private} == {"0o700"}
    assert ask(cluster.url, "show listen_addresses") == ("",)


def test_a_home_too_deep_for_a_socket_gets_a_short_address(home: Home) -> None:
    deep = Home(home.path / "/".join("deeper" for _ in range(20)), home.major)
    deep.path.mkdir(parents=True)
    shutil.move(home.data, deep.data)
    try:
        with Cluster(deep.path) as cluster:
            assert ask(cluster.url, "select 1") == (1,)
    finally:
        shutil.rmtree(deep.socket_directory())
    assert len(str(deep.socket_directory())) < 60


def test_settings_of_a_desk_hold_unless_others_are_given(home: Home) -> None:
    with Cluster(home.path, settings={"fsync": "off"}) as cluster:
        shown = [ask(cluster.url, f"show {name}")[0] for name in ("jit", "shared_buffers", "fsync")]
    assert shown == ["off", "128MB", "off"]


def test_the_database_does_not_learn_the_secrets_of_the_desk(
    home: Home, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERDESK_SECRET_KEY", "swordfish")
    cluster.start()
    sign = Sign.read(home.data)
    assert sign
    assert b"swordfish" not in Path(f"/proc/{sign.pid}/environ").read_bytes()


def test_a_start_that_fails_says_in_postgres_own_words_why(home: Home) -> None:
    with pytest.raises(UnableToStart, match='invalid value for parameter "work_mem"'):
        Cluster(home.path, settings={"work_mem": "much"}).start()


def test_a_start_can_be_tried_again_after_it_failed(home: Home, cluster: Cluster) -> None:
    version = home.data / "PG_VERSION"
    version.rename(home.data / "hidden")
    with pytest.raises(UnableToStart):
        cluster.start()
    (home.data / "hidden").rename(version)
    assert ask(cluster.start(), "select 1") == (1,)


@pytest.fixture
def stranger() -> Iterator[Callable[[bool], int]]:
    """The pid of a live process of ours, or of one that has ended and was not waited for."""
    children: list[subprocess.Popen[bytes]] = []

    def stranger(is_dead: bool) -> int:
        children.append(subprocess.Popen(["true"] if is_dead else ["sleep", "600"]))
        assert until(lambda: has_ended(children[-1].pid) is is_dead)
        return children[-1].pid

    yield stranger
    for child in children:
        child.kill()
        child.wait()


def ask(url: str, question: str) -> tuple[object, ...]:
    """The first row of the answer; empty for a statement that has none."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(question.encode())
        return (cursor.fetchone() or ()) if cursor.description else ()


def state(home: Home) -> str:
    """The state in the control file: "in production", "shut down" …"""
    controldata = find_binaries().tool("pg_controldata")
    told = subprocess.run([controldata, home.data], capture_output=True, text=True, check=True).stdout
    return told.partition("Database cluster state:")[2].partition("\n")[0].strip()


def kill_postmaster(home: Home) -> int:
    sign = Sign.read(home.data)
    assert sign
    os.kill(sign.pid, signal.SIGKILL)
    return sign.pid


def serves_anew(home: Home, first: int) -> bool:
    sign = Sign.read(home.data)
    return sign is not None and sign.is_ready and sign.pid != first


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or waits as a zombie for somebody to ask after it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def busy_back_end(url: str) -> psycopg.Connection:
    """A connection whose back end computes for about a second and looks at neither postmaster nor client."""
    connection = psycopg.connect(url, autocommit=True)
    connection.pgconn.send_query(b"select count(*) from generate_series(1, 8000000)")
    state = f"select state from pg_stat_activity where pid = {connection.info.backend_pid}"
    assert until(lambda: ask(url, state) == ("active",))
    return connection
