"""Every sender has its instructions, and what they tell people to install works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.channels.alarms.shapes.heard import read
from tierdesk.channels.alarms import guide, shapes

NAGIOS = {
    "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
    "NAGIOS_HOSTNAME": "db1",
    "NAGIOS_HOSTADDRESS": "10.0.0.5",
    "NAGIOS_SERVICEDESC": "disk /var",
    "NAGIOS_SERVICESTATE": "CRITICAL",
    "NAGIOS_SERVICEOUTPUT": "96 % used",
    "NAGIOS_LONGSERVICEOUTPUT": r"/var 96 %\n/tmp 2 %",
    "NAGIOS_SERVICEPROBLEMID": "4711",
    "NAGIOS_LASTSERVICEPROBLEMID": "4711",
    "NAGIOS_TIMET": "1793347200",
}
ICINGA = {"TYPE": "PROBLEM", "HOST": "db1", "ADDRESS": "$address$", "SERVICE": "$service.name$"}
ICINGA |= {"HOST_STATE": "DOWN", "HOST_OUTPUT": "no answer", "STATE": "$service.state$"}


class Desk(HTTPServer):
    """Answers what it is told to, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.heard: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: Desk

    def do_POST(self) -> None:
        self.server.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def notify(desk: Desk, tmp_path: Path, option: str, env: dict[str, str]) -> tuple[int, str]:
    """(exit status, standard error) of our command, called as the monitoring would."""
    conf = tmp_path / "notify.conf"
    conf.write_text(f"http://127.0.0.1:{desk.server_port}/in/token\n")
    command = [sys.executable, guide.SENDERS / "tierdesk-notify", option]
    env = {"PATH": os.environ["PATH"], "TIERDESK_NOTIFY_CONF": str(conf)} | env
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("shape", shapes.names())
def test_every_shape_says_how_its_sender_is_set_up(shape: str) -> None:
    told = guide.guide(shape, desk="https://our.example", senders="/files/{}")
    assert len(told) > 100 and "desk.example.com" not in told
    assert "our.example" in told or "/files/zabbix_media_type.yaml" in told


def test_the_page_in_the_docs_says_the_same() -> None:
    assert guide.DOCS.read_text() == guide.page(), "run `python -m tierdesk.channels.alarms.guide`"


def test_every_file_that_is_linked_to_is_there() -> None:
    linked = {file for file in guide.senders_files() if f"({guide.FROM_DOCS.format(file)})" in guide.page()}
    assert linked == set(guide.senders_files())


def test_a_guide_can_be_shown_where_lines_do_not_flow() -> None:
    wrapped = "Put the\ncommand:\n\n```sh\na \\\n  b\n```\n\n1. First\n   of all\n2. Then"
    flows = "Put the command:\n\n```sh\na \\\n  b\n```\n\n1. First of all\n2. Then"
    assert guide.flowing(wrapped) == flows


def test_a_notification_of_nagios_arrives(desk: Desk, tmp_path: Path) -> None:
    assert notify(desk, tmp_path, "--nagios", NAGIOS) == (0, "")
    [event] = read("nagios", desk.heard[0])
    assert (event.action.value, event.key, event.severity) == ("raise", "db1!disk /var", 2)
    assert event.text == "96 % used\n/var 96 %\n/tmp 2 %"
    assert event.labels == {"address": "10.0.0.5", "problem_id": "4711", "source": "nagios"}


def test_its_recovery_names_the_same_problem(desk: Desk, tmp_path: Path) -> None:
    over = {
        "NAGIOS_NOTIFICATIONTYPE": "RECOVERY",
        "NAGIOS_SERVICESTATE": "OK",
        "NAGIOS_SERVICEPROBLEMID": "0",
    }
    assert notify(desk, tmp_path, "--nagios", NAGIOS | over) == (0, "")
    [event] = read("nagios", desk.heard[0])
    assert (event.action.value, event.key) == ("clear", "db1!disk /var")
    assert event.labels["problem_id"] == "4711"


def test_a_notification_of_icinga_arrives_without_what_it_did_not_fill_in(desk: Desk, tmp_path: Path) -> None:
    assert notify(desk, tmp_path, "--icinga", ICINGA) == (0, "")
    [event] = read("nagios", desk.heard[0])
    assert (event.key, event.severity, event.summary) == ("db1", 1, "db1 is DOWN: no answer")
    assert event.labels == {"source": "icinga2"}


def test_a_desk_that_is_away_is_asked_again(desk: Desk, tmp_path: Path) -> None:
    desk.answers = [503]
    status, said = notify(desk, tmp_path, "--nagios", NAGIOS)
    assert (status, len(desk.heard)) == (0, 2)
    assert "503" in said


def test_a_desk_that_refuses_is_not(desk: Desk, tmp_path: Path) -> None:
    desk.answers = [401]
    status, said = notify(desk, tmp_path, "--nagios", NAGIOS)
    assert (status, len(desk.heard)) == (1, 1)
    assert "401" in said


def media_type() -> dict[str, Any]:
    export = yaml.safe_load((guide.SENDERS / "zabbix_media_type.yaml").read_text())["zabbix_export"]
    [kind] = export["media_types"]
    return kind  # type: ignore[no-any-return]


def filled_in() -> dict[str, str]:
    """The parameters of the media type, some of them as Zabbix fills them in, the others as they are written."""
    return {one["name"]: one["value"] for one in media_type()["parameters"]} | {
        "event_id": "91842",
        "value": "1",
        "nseverity": "5",
        "name": "Disk full",
        "host": "db1",
        "url": "https://zabbix.example",
        "trigger": "Disk full on {#FSNAME}",
        "trigger_id": "7",
        "tags": json.dumps([{"tag": "a", "value": "b"}]),
    }


def test_the_media_type_of_zabbix_sends_what_its_shape_reads() -> None:
    [event] = read("zabbix", filled_in())
    assert (event.key, event.severity, event.resource) == ("7", 1, "db1")
    assert (event.class_, event.labels) == ("Disk full on …", {"a": "b", "event_id": "91842"})
    assert event.text == ""  # macros that were not filled in count as absent


def run_by_zabbix(desk: Desk, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The script of the media type, run by the engine that a Zabbix server runs it with."""
    if shutil.which("zabbix_js") is None:
        pytest.skip("needs zabbix_js of Debian's zabbix-server-pgsql: run bin/setup --tests as root")
    script = tmp_path / "script.js"
    script.write_text(media_type()["script"])
    parameters = filled_in() | {"desk_url": f"http://127.0.0.1:{desk.server_port}/in/token"}
    command = ["zabbix_js", "-s", script, "-p", json.dumps(parameters)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_zabbix_runs_the_script_of_the_media_type(desk: Desk, tmp_path: Path) -> None:
    desk.answers = [202]
    ran = run_by_zabbix(desk, tmp_path)
    assert (ran.returncode, ran.stdout.strip()) == (0, "OK")
    [event] = read("zabbix", desk.heard[0])
    assert (event.action.value, event.key, event.summary) == ("raise", "7", "Disk full")


def test_zabbix_is_told_when_the_desk_refuses(desk: Desk, tmp_path: Path) -> None:
    desk.answers = [401]
    ran = run_by_zabbix(desk, tmp_path)
    assert ran.returncode != 0
    assert "Tierdesk answered 401" in ran.stdout + ran.stderr
