"""The flags of one request, or of one person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from . import testing
from .names import resolve

OFF = "off"
ON = "on"

# What a dictionary of flags has beside them. No flag has a name with a dot.
_BESIDE = "flagstaff."
_SOURCE = _BESIDE + "source"
_DEFAULT = _BESIDE + "default."
_NAME = _BESIDE + "name."
_UNDECIDED = _BESIDE + "undecided."


class Variant(str):
    """The variant of a flag. It is a text, and false when it is ``off``."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self != OFF


def _or(variant: str | None, default: str | None) -> Variant:
    """A variant, or what the app wants of a flag that is off."""
    if variant is None or variant == OFF:
        return Variant(OFF if default is None else default)
    return Variant(variant)


class Source(Enum):
    """Where flags come from."""

    HEADERS = "headers"
    """The headers of a request that came through Flagstaff."""
    FILE = "file"
    """A flag file, evaluated here."""
    DEFAULTS = "defaults"
    """Nowhere: there were no headers, or their signature was not good."""


class Flags(Mapping[str, Variant]):
    """The flags of one request, or of one person.

    ``flags.new_form``, ``flags["new_form"]`` and ``flags.variant("new_form")`` are the variant. It is false when it is ``off``.
    No lookup fails: a flag that nobody has defined is off. Iteration and ``len`` are over the flags that are known.
    """

    __slots__ = ("_defaults", "_names", "_source", "_undecided", "_variants", "_visitor")

    def __init__(
        self,
        variants: Mapping[str, str] | None = None,
        *,
        source: Source = Source.DEFAULTS,
        visitor: str | None = None,
        defaults: Mapping[str, str] | None = None,
        undecided: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._variants = {name: Variant(variant) for name, variant in (variants or {}).items()}
        self._defaults = dict(defaults or {})
        self._undecided = dict(undecided or {})
        self._names = names or {}
        self._source = source
        self._visitor = visitor

    @property
    def source(self) -> Source:
        """Where these flags come from."""
        return self._source

    @property
    def visitor(self) -> str | None:
        """The visitor's id (``X-Visitor-Id``), where it is known."""
        return self._visitor

    @property
    def undecided(self) -> Mapping[str, str]:
        """The flags that a file alone could not decide, each with the reason. They have their defaults."""
        return dict(self._undecided)

    def is_on(self, name: str) -> bool:
        """Whether a flag is anything but off."""
        return bool(self.variant(name))

    def variant(self, name: str, default: str | None = None) -> Variant:
        """The variant of a flag. ``default`` is for a flag that is off, not defined, or not known here."""
        forced = testing.forced("flag", name, self._names)
        return self.decided(name, default) if forced is None else _or(forced, default)

    def is_forced(self, name: str) -> bool:
        """Whether a test forces the variant of this flag (:class:`flagstaff.override`)."""
        return testing.forced("flag", name, self._names) is not None

    def decided(self, name: str, default: str | None = None) -> Variant:
        """The variant of a flag, whatever a test forces."""
        flag = self.resolve(name)
        variant: str | None = self._variants.get(flag)
        if variant is None and not self._knows(flag):
            variant = self._defaults.get(flag)
        return _or(variant, default)

    def knows(self, name: str) -> bool:
        """Whether the variant of this flag was decided, also as off: not for a request that came without headers of Flagstaff."""
        return self._knows(self.resolve(name))

    def _knows(self, flag: str) -> bool:
        return flag in self._variants or (self._source is not Source.DEFAULTS and flag not in self._undecided)

    def resolve(self, name: str) -> str:
        """The name of the flag itself, where an app calls it otherwise (``my.Flag``)."""
        return resolve(name, self._names)

    def as_dict(self) -> dict[str, str]:
        """The variants that are known, as plain texts: for a job that goes on with the flags of a request.

        What else these flags answer by stands beside them, under names that no flag can have (``flagstaff.…``): where they
        come from when it is not the headers, the defaults of flags that are not known, and the names of the app.
        """
        unknown = {name: variant for name, variant in self._defaults.items() if not self._knows(name)}
        beside = {} if self._source is Source.HEADERS else {_SOURCE: self._source.value}
        for prefix, texts in ((_DEFAULT, unknown), (_NAME, self._names), (_UNDECIDED, self._undecided)):
            beside |= {prefix + name: text for name, text in texts.items()}
        return {**self._plain(), **beside}

    def _plain(self) -> dict[str, str]:
        return {name: str(variant) for name, variant in self._variants.items()}

    @classmethod
    def from_dict(cls, variants: Mapping[str, str], visitor: str | None = None) -> Flags:
        """The flags that :meth:`as_dict` wrote down: they answer as those did.

        In a dictionary of variants alone, every other flag is off.
        """

        def beside(prefix: str) -> dict[str, str]:
            return {name.removeprefix(prefix): text for name, text in variants.items() if name.startswith(prefix)}

        return cls(
            {name: variant for name, variant in variants.items() if not name.startswith(_BESIDE)},
            source=Source(variants.get(_SOURCE, Source.HEADERS.value)),
            visitor=visitor,
            defaults=beside(_DEFAULT),
            undecided=beside(_UNDECIDED),
            names=beside(_NAME),
        )

    def __getitem__(self, name: str) -> Variant:
        return self.variant(name)

    def __getattr__(self, name: str) -> Variant:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.variant(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.is_on(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._variants)

    def __len__(self) -> int:
        return len(self._variants)

    def __repr__(self) -> str:
        return f"Flags({self._plain()!r}, source={self._source.value!r})"

    def __bool__(self) -> bool:
        return True
