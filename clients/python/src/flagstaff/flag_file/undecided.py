"""What a file alone cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Undecided(Exception):
    """A flag depends on something that is not known here. The text says on what."""


def any_of(tests: Iterable[Callable[[], bool]]) -> bool:
    """Whether one holds. One that cannot be known does not matter where another holds."""
    unknown: Undecided | None = None
    for test in tests:
        try:
            if test():
                return True
        except Undecided as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    return False


def all_of(tests: Iterable[Callable[[], bool]]) -> bool:
    """Whether all hold. One that cannot be known does not matter where another fails."""

    def failing(test: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: not test()

    return not any_of(failing(test) for test in tests)
