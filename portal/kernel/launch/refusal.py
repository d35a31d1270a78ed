"""Why a start was refused, in one sentence that says what to do."""


class LaunchRefused(Exception):
    """The start was refused; the message is one sentence for the person at the terminal."""


class AlreadyRunning(LaunchRefused):
    """Another process already holds this folder."""
