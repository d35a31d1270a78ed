"""Functions that misbehave, for the sandbox to hold."""

import os
import sys
import time


def answers(path: str, **arguments: object) -> object:
    return {"path": path, **arguments}


def eats_memory(path: str) -> object:
    return len(bytearray(2 * 1024 * 1024 * 1024))


def spins(path: str) -> object:
    while True:
        pass


def hangs(path: str) -> object:
    time.sleep(3600)
    return None


def raises(path: str) -> object:
    raise ValueError("the parser stumbled")


def dies(path: str) -> object:
    os.abort()


def talks_too_much(path: str) -> object:
    return "x" * (8 * 1024 * 1024)


def mutters(path: str) -> object:
    print("not JSON")
    return 1


def looks_around(path: str) -> object:
    return {"environment": sorted(os.environ), "input": sys.stdin.read(), "folder": os.getcwd()}


def writes(path: str) -> object:
    with open(path, "wb") as file:
        file.write(b"x" * (2 * 1024 * 1024))
    return "written"


def opens_many(path: str) -> object:
    kept = [open(path, "rb") for _ in range(100)]  # noqa: SIM115 - kept open is the point
    return len(kept)
