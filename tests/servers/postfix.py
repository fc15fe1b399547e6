"""A real Postfix on loopback: takes mail for the desk's domain and hands it over, and relays what the desk sends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.servers.desk import free_port, until

POSTFIX = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin")

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
myhostname = mx.desk.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
relay_domains = desk.example, desk.localhost
transport_maps = inline:{{ desk.example={inward}, desk.localhost={inward} }}
relayhost = {outward}
recipient_delimiter = +
message_size_limit = 60000000
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtpd_recipient_restrictions = {who}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {chain}
{signing_in}
"""

SIGNING_IN = """
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_sasl_auth_enable = yes
"""

MASTER = """
{port}    inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""


class Postfix:
    """A mail server. `inward`: how it hands over mail for the desk's domain, `outward`: where all other mail goes.

    It knows no nobody@acme.example. With `sasl`, the socket of a Dovecot that knows passwords and tokens, it takes mail
    only from who signs in.
    """

    def __init__(
        self,
        *,
        inward: str = "error:nobody",
        outward: str = "",
        sasl: Path | None = None,
        chain: str = "",
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.home.chmod(0o755)
        self.port = free_port()
        for folder in ("conf", "spool", "data"):
            (self.home / folder).mkdir()
        shutil.chown(self.home / "data", "postfix")
        nobody = "check_recipient_access inline:{ {nobody@acme.example = 550 5.1.1 no such user} }"
        may_relay = f"{nobody}, {'permit_sasl_authenticated' if sasl else 'permit_mynetworks'}, reject"
        (self.home / "conf" / "main.cf").write_text(
            MAIN.format(
                home=self.home,
                inward=inward,
                outward=outward,
                who=may_relay,
                chain=chain,
                signing_in=SIGNING_IN.format(sasl=sasl) if sasl else "",
            )
        )
        (self.home / "conf" / "master.cf").write_text(MASTER.format(port=self.port))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [str(POSTFIX), "-c", str(self.home / "conf"), *words], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    @property
    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def is_empty(self) -> bool:
        """Whether nothing waits in its queue."""
        queues = ("incoming", "active", "deferred", "maildrop")
        return not any(
            path.is_file() for queue in queues for path in (self.home / "spool" / queue).rglob("*")
        )

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> Postfix:
        said = self.run("start")
        assert until(self._listens, within_s=20), said + self.log
        return self

    def __exit__(self, *_: object) -> None:
        self.run("stop")
        shutil.rmtree(self.home, ignore_errors=True)


def why_not() -> str:
    """Why no Postfix can run here; empty if one can. It changes users, so it must be started by root."""
    if POSTFIX is None:
        return "no Postfix on this machine: `bin/setup --tests` installs one"
    return "" if os.getuid() == 0 else "Postfix can be started by root alone"
