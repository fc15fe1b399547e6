"""A real Dovecot on loopback, and a wire to it that can be cut: what a mailbox looks like from the desk."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imapclient import IMAPClient

from tests.servers.certificates import Certificates
from tests.servers.desk import free_port, until

DOVECOT = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
PASSWORD = "Straße-und-Zug-9"

CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
mail_location = maildir:{home}/mail/%u
mail_max_userip_connections = 100
imap_idle_notify_interval = 10 s
auth_failure_delay = 0
{who}
passdb {{
  driver = static
  args = password={password}
}}
{more}
userdb {{
  driver = static
  args = home={home}/mail/%u
}}
service imap-login {{
  {unchrooted}
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  {unchrooted}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {home}/knows-passwords {{
    mode = 0666
  }}
}}
"""

AS_ROOT = "mail_uid = mail\nmail_gid = mail\nfirst_valid_uid = 1\nfirst_valid_gid = 1"
AS_ANYBODY = "default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {group}"


class Dovecot:
    """A mail server that everybody is let in with one password; each name is a mailbox of its own."""

    def __init__(self, *, mechanisms: str = "plain login", more: str = "") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.port, self.tls_port = free_port(), free_port()
        self.certificates = Certificates(self.home)
        self._configuration = self.home / "dovecot.conf"
        self._configuration.write_text(self._configured(mechanisms, more))
        (self.home / "mail").mkdir()
        if os.getuid() == 0:
            self.home.chmod(0o755)
            shutil.chown(self.home / "mail", "mail", "mail")
        self._process: subprocess.Popen[bytes] | None = None

    def _configured(self, mechanisms: str, more: str) -> str:
        root = os.getuid() == 0
        group = "" if root else subprocess.check_output(["id", "-gn"], text=True).strip()
        return CONFIGURATION.format(
            home=self.home,
            port=self.port,
            tls_port=self.tls_port,
            certificate=self.certificates.trusted.certificate,
            key=self.certificates.trusted.key,
            mechanisms=mechanisms,
            more=more.format(home=self.home),
            password=PASSWORD,
            who=AS_ROOT if root else AS_ANYBODY.format(me=getpass.getuser(), group=group),
            unchrooted="" if root else "chroot =",
        )

    @property
    def sasl(self) -> Path:
        """Where a Postfix asks whether somebody may sign in."""
        return self.home / "knows-passwords"

    def start(self) -> None:
        command = [str(DOVECOT), "-F", "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert until(self._listens, within_s=15), (self.home / "log").read_text()

    def stop(self) -> None:
        """At once: its children notice and go. When it is asked it waits for them first, up to six seconds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    @contextmanager
    def opened(self, name: str) -> Iterator[IMAPClient]:
        """The mailbox as its owner sees it in a mail program."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20) as client:
            client.plain_login(name, PASSWORD)
            client.normalise_times = False
            client.select_folder("INBOX")
            yield client

    def deliver(self, name: str, *mails: bytes, at: object = None) -> None:
        """Mails arrive in the mailbox, as they are; `at`: when the server says it took them in."""
        with self.opened(name) as client:
            for mail in mails:
                client.append("INBOX", mail, msg_time=at)

    def lies_in(self, name: str, folder: str = "INBOX") -> dict[bytes, set[bytes]]:
        """What lies in a folder: each mail's bytes with its flags."""
        with self.opened(name) as client:
            if folder != "INBOX" and not client.folder_exists(folder):
                return {}
            client.select_folder(folder, readonly=True)
            told = client.fetch(client.search("ALL"), ["BODY.PEEK[]", "FLAGS"])
            return {one[b"BODY[]"]: set(one[b"FLAGS"]) - {rb"\Recent"} for one in told.values()}

    def number_anew(self, name: str) -> None:
        """The index is lost, as after a restore: every mail gets another number, and the folder another validity."""
        box = self.home / "mail" / name
        for path in box.glob("dovecot*"):
            path.unlink()
        time.sleep(1.1)  # the validity is a time in seconds

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
