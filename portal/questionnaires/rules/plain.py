"""Values of a definition as plain data and back, by their declared fields, so that a new field is never forgotten."""

import hashlib
import json
import types
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from portal.questionnaires.rules.conditions import Condition, ConditionError, Over, parse
from portal.questionnaires.rules.text import number_text

Plain = None | bool | int | str | Sequence[Any] | Mapping[str, Any]
Fields = dict[str, Any]
FINGERPRINT: Final = 12

T = TypeVar("T")


def plain(value: Any, *, without: Collection[str] = ()) -> Any:
    """Return a value of a definition as plain data: text, numbers, lists and mappings.

    A field that equals its default is left out, so that what was fingerprinted once keeps its fingerprint when the
    language learns a new field.

    :param without: fields of the value itself that are left out.
    :raises TypeError: for a kind of value that no definition holds.
    """
    if isinstance(value, Condition):
        return value.source
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return number_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: plain(getattr(value, each.name))
            for each in _compared(type(value))
            if each.name not in without and getattr(value, each.name) != _default(each)
        }
    if isinstance(value, frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    raise TypeError(f"a definition holds no {type(value).__name__}")


def build(wanted: type[T], data: Mapping[str, Any]) -> T:
    """Return the value of a definition that `plain` made the data from.

    :raises TypeError: if the data are of another shape.
    """
    hints = _hints(cast("Hashable", wanted))
    return wanted(**{name: _typed(hints[name], item) for name, item in data.items()})


def fingerprint(*values: Plain) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of plain data in their one canonical form."""
    canonical = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT]


@cache
def _compared(cls: type[Any]) -> tuple[Field[Any], ...]:
    return tuple(each for each in fields(cls) if each.init and each.compare)


@cache
def _hints(cls: Hashable) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _default(each: Field[Any]) -> object:
    if each.default_factory is not MISSING:
        return each.default_factory()
    # MISSING equals nothing but itself, so a field without a default is always kept.
    return each.default


def _typed(hint: Any, data: Any) -> Any:
    """Turn plain data into what the declared type asks for."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if data is None else _typed(_only(hint, inner), data)
    if origin is tuple:
        return tuple(_typed(inner[0], item) for item in data)
    if origin is frozenset:
        return frozenset(_typed(inner[0], item) for item in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MappingProxyType({key: _typed(inner[1], item) for key, item in data.items()})
    if hint is Condition:
        return _condition(data)
    if hint is Decimal:
        return Decimal(data)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if isinstance(hint, type) and is_dataclass(hint):
        return build(cast("type[Any]", hint), data)
    if isinstance(hint, type) and isinstance(data, hint):
        return data
    raise TypeError(f"cannot make {hint} of {type(data).__name__}")


def _only(hint: Any, inner: tuple[Any, ...]) -> Any:
    """Return the one type beside None; with two, plain data would not say which."""
    kinds = [each for each in inner if each is not type(None)]
    if len(kinds) != 1:
        raise TypeError(f"{hint} is more than one thing")
    return kinds[0]


def _condition(source: str) -> Condition:
    """Parse a condition over whatever it speaks of; which it was does not show in the result."""
    refusal: ConditionError | None = None
    for over in Over:
        try:
            return parse(source, over)
        except ConditionError as failure:
            refusal = failure
    raise refusal or TypeError("a condition speaks of something")
