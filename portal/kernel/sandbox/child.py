"""The other side of run_limited: first give everything up, then import and run. Started as a script."""

import ctypes
import importlib
import json
import os
import resource
import sys

OUT_OF_MEMORY = 12


def give_up(*, seconds: int, memory: int, answer: int, threads: bool) -> None:
    """Lower every limit for good."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (answer, answer))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if hasattr(resource, "RLIMIT_NPROC") and not threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        pr_set_no_new_privs, pr_set_dumpable = 38, 4
        libc.prctl(pr_set_no_new_privs, 1, 0, 0, 0)
        libc.prctl(pr_set_dumpable, 0, 0, 0, 0)
        # An empty network of its own. Refused on systems without user namespaces, and then it stays as it was.
        clone_newuser, clone_newnet = 0x10000000, 0x40000000
        libc.unshare(clone_newuser | clone_newnet)


def main() -> int:
    root, limits, function, path, arguments = sys.argv[1:]
    give_up(**json.loads(limits))
    sys.path.insert(0, root)
    module, _, name = function.partition(":")
    try:
        result = getattr(importlib.import_module(module), name)(path, **json.loads(arguments))
        text = json.dumps(result)
    except MemoryError:
        return OUT_OF_MEMORY
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    code = main()
    # No clean-up by a library that may have been led astray.
    os._exit(code)
