"""Ask a Gatehouse whether a vendor may, and rely on nothing but a statement that verifies."""

from gatehouse_gate.client import Decision, Gate
from gatehouse_gate.verify import Unverified, verified

__all__ = ["Decision", "Gate", "Unverified", "verified"]
