"""The real Postfix, as the example organisation might run it: queue, configuration and log of its own, on loopback.

It needs root, as Postfix does, but no systemd and no syslog: its own postlogd writes the log.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .talk import until

COMMAND_SECONDS = 60
_MAIN = {
    "compatibility_level": "3.6",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "myhostname": "postfix.training.example",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "local_recipient_maps": "",
    "alias_maps": "",
    "local_transport": "error:nobody lives here",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "smtp_tls_security_level": "",
    "smtpd_tls_security_level": "",
    "smtp_host_lookup": "native",
    "smtp_dns_support_level": "disabled",
    "minimal_backoff_time": "300s",
    "notify_classes": "",
    "biff": "no",
    "smtpd_peername_lookup": "no",
    "in_flow_delay": "0",
}
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One instance, running while the block of `postfix` lasts."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        self.folder, self.port = folder, port
        self.config, self.log_file = folder / "config", folder / "maillog"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("config", "queue"):
            (folder / name).mkdir()
        data = folder / "data"
        data.mkdir()
        shutil.chown(data, "postfix")
        table = _MAIN | {
            "queue_directory": str(folder / "queue"),
            "data_directory": str(data),
            "maillog_file": str(self.log_file),
            "maillog_file_prefixes": str(folder),
        }
        lines = [f"{key} = {value}\n" for key, value in (table | dict(settings)).items()]
        (self.config / "main.cf").write_text("".join(lines))
        (self.config / "master.cf").write_text(_MASTER.format(port=port))

    def start(self) -> None:
        """Start its master in the foreground, in a process group of its own, and wait until it listens."""
        assert os.geteuid() == 0, "Postfix needs root: run the tests as root or in a container"
        self.run("postfix", "check")
        program = self.run("postconf", "-h", "daemon_directory").strip() + "/master"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", program, "-c", str(self.config), "-d"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._is_ready)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Postfix ended: {self.log()}"
        return "daemon started" in self.log()

    def stop(self) -> None:
        """End it and everything it started."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.terminate()  # its master passes that on to the group
        try:
            process.wait(10)
        finally:
            deadline = time.monotonic() + COMMAND_SECONDS
            while _kill_group(process.pid):
                assert time.monotonic() < deadline, "a process of Postfix does not end"
                process.poll()
                time.sleep(0.02)

    def run(self, *command: str) -> str:
        """Run one of Postfix's commands and return what it prints."""
        program, *rest = command
        found = subprocess.run(
            [program, "-c", str(self.config), *rest],
            check=True,
            capture_output=True,
            timeout=COMMAND_SECONDS,
        )
        return found.stdout.decode()

    def log(self) -> str:
        """Return everything it has logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def queued(self) -> list[str]:
        """Return one line of JSON for each message that waits."""
        return self.run("postqueue", "-j").splitlines()

    def flush(self) -> None:
        """Have it try everything that waits at once."""
        self.run("postqueue", "-f")


def _kill_group(group: int) -> bool:
    """Kill what is left of a process group; False when there is nothing."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def postfix(port: int, **settings: str) -> Iterator[Postfix]:
    """Run an instance that listens at `port`; `settings` go into its main.cf."""
    with tempfile.TemporaryDirectory(prefix="muniment-postfix-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # its daemons give up root and must still reach their files
        found = Postfix(folder, port, settings)
        try:
            found.start()
            yield found
        finally:
            found.stop()
