"""Runs a program as a chosen user, tied to the life of its parent (a script; standard library only).

Arguments: parent pid, signal number, way, uid, gid, then the program and its own arguments.

The kernel clears the parent-death signal whenever credentials change, so the tie is made last, just before
the program takes over. A script of its own keeps this out of ``preexec_fn``, which is unsafe with threads.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
CANNOT = 126


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _enter_namespace(uid: int, gid: int) -> None:
    """Become ``uid`` in a user namespace of our own: same files, same rights outside, not root inside."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if _c_library().unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are off")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as entry:
            entry.write(line)


def _become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _tie(parent: int, signum: int) -> None:
    """Have the kernel send ``signum`` when the parent dies, however it dies."""
    if sys.platform == "linux":
        _c_library().prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit(CANNOT)


def main(arguments: list[str]) -> None:
    """Replace this process with the program; returns only by raising."""
    parent, signum, way, uid, gid = arguments[:5]
    program = arguments[5:]
    try:
        if way == "namespace":
            _enter_namespace(int(uid), int(gid))
        elif way == "account":
            _become(int(uid), int(gid))
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        _tie(int(parent), int(signum))
        os.execv(program[0], program)  # noqa: S606 - the caller names the program
    except OSError as problem:
        sys.stderr.write(f"{program[0]} could not be started: {problem}\n")
        raise SystemExit(CANNOT) from None


if __name__ == "__main__":
    main(sys.argv[1:])
