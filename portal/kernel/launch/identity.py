"""As whom the embedded database runs: PostgreSQL refuses uid 0 and wants an account entry for its own."""

import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from portal.kernel.launch.refusal import LaunchRefused

TETHER = Path(__file__).with_name("tether.py")
PREFERRED_ACCOUNTS = ("gatehouse", "postgres", "nobody")
CANNOT_STAY_SELF = (
    "PostgreSQL does not run as root, and neither user namespaces nor another account can be used here: "
    "start Gatehouse as an ordinary user, or give GATEHOUSE_DATABASE_URL."
)
HAS_NO_ACCOUNT = (
    "The user id {uid} has no account entry and PostgreSQL insists on one: "
    "add it to /etc/passwd, or give GATEHOUSE_DATABASE_URL."
)


class Way(StrEnum):
    """How a process comes to run as somebody PostgreSQL accepts."""

    DIRECT = "direct"
    NAMESPACE = "namespace"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the database programs run as; ``owner_uid`` is who owns the data folder as seen from here."""

    way: Way
    uid: int
    gid: int
    owner_uid: int
    owner_gid: int

    def command(self, program: list[str], *, on_parent_death: signal.Signals) -> list[str]:
        """Wrap ``program`` so that it runs as this identity and does not outlive the calling process."""
        return [
            sys.executable,
            *("-I", "-S", str(TETHER)),
            *(str(os.getpid()), str(int(on_parent_death))),
            *(self.way.value, str(self.uid), str(self.gid)),
            *program,
        ]


def myself() -> Identity:
    """Return the identity that changes nothing."""
    uid, gid = os.geteuid(), os.getegid()
    return Identity(Way.DIRECT, uid, gid, uid, gid)


def choose(forced: Way | None = None) -> Identity:
    """Return the first identity that works here: ourselves, a user namespace, another account.

    :raises LaunchRefused: if none does.
    """
    uid = os.geteuid()
    if forced is None and uid != 0 and _has_account(uid):
        return myself()
    if forced is Way.DIRECT:
        return myself()
    account = _ordinary_account()
    if account and forced is not Way.ACCOUNT:
        inside = Identity(Way.NAMESPACE, account.pw_uid, account.pw_gid, uid, os.getegid())
        if _works(inside):
            return inside
    if account and uid == 0 and forced is not Way.NAMESPACE:
        other = Identity(Way.ACCOUNT, account.pw_uid, account.pw_gid, account.pw_uid, account.pw_gid)
        if _works(other):
            return other
    raise LaunchRefused(CANNOT_STAY_SELF if uid == 0 else HAS_NO_ACCOUNT.format(uid=uid))


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _ordinary_account() -> pwd.struct_passwd | None:
    accounts = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in PREFERRED_ACCOUNTS:
        if name in accounts:
            return accounts[name]
    return next(iter(accounts.values()), None)


def _works(identity: Identity) -> bool:
    probe = identity.command(["/bin/sh", "-c", "exit 0"], on_parent_death=signal.SIGKILL)
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0  # noqa: S603
