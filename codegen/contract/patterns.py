"""Patterns that every language reads alike, and that match without going back.

A pattern is checked by Python here, by JavaScript, Kotlin or Swift in clients, and by whatever
reads the OpenAPI document. So it is written in the part of regular expressions that all of them
share: characters, classes such as `[a-z0-9_]` and `[^@]`, groups `(?:…)`, `|`, and the quantifiers
`?`, `*`, `+`, `{3}`, `{3,}` and `{3,5}`. It describes the whole value, without `^` and `$`.

It is deterministic, too: after each character, the next one alone decides how to go on. An engine
that goes back when it fails then finds nothing else to try, so the time that it takes grows with
the length of the value and no faster.

Source: one-unambiguous regular expressions, A. Brüggemann-Klein and D. Wood, 1998,
https://doi.org/10.1006/inco.1997.2695.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["LONGEST_PATTERN", "PatternError", "check_pattern"]

LONGEST_PATTERN: Final = 200
"""The most characters of a pattern, which errors repeat."""

_MOST_TIMES: Final = 1_000
_DEEPEST: Final = 10
_LAST: Final = 0x10FFFF

# What must be escaped to mean itself, outside of classes and inside; nothing else may be escaped.
# JavaScript takes no more in its Unicode modes, the newer of which asks for those in classes.
_SPECIAL: Final = frozenset("^$\\.*+?()[]{}|")
_SPECIAL_IN_CLASS: Final = frozenset("^\\[](){}|/-")

_QUANTIFIERS: Final = ("?", "*", "+", "{")

_COUNT: Final = re.compile(r"\{([0-9]{1,4})(,?)([0-9]{0,4})\}")

_Ranges = tuple[tuple[int, int], ...]
"""Code points, as ranges in order that do not touch."""


class PatternError(ValueError):
    """A pattern that cannot be used; the text says why."""


def check_pattern(pattern: str) -> None:
    """Check that a pattern means the same everywhere, and matches without going back.

    Raises:
        PatternError: it does not.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"it has {len(pattern)} characters; expected at most {LONGEST_PATTERN}")
    _Parser(pattern).whole().check(())


@dataclass(frozen=True)
class _Node:
    """A part of a pattern.

    Attributes:
        text: how it is written.
        first: the characters that it can begin with.
        nullable: whether it matches the empty text.
        times: how often counts in it repeat a part of it at most.
    """

    text: str
    first: _Ranges
    nullable: bool
    times: int = 1

    def check(self, following: _Ranges) -> None:
        """Check that every choice in it is decided by the next character.

        Args:
            following: the characters that can come after it.

        Raises:
            PatternError: one is not.
        """


@dataclass(frozen=True)
class _Sequence(_Node):
    parts: tuple[_Node, ...] = ()

    def check(self, following: _Ranges) -> None:
        for part in reversed(self.parts):
            part.check(following)
            following = _union(part.first, following) if part.nullable else part.first


@dataclass(frozen=True)
class _Choice(_Node):
    branches: tuple[_Node, ...] = ()

    def check(self, following: _Ranges) -> None:
        seen: _Ranges = ()
        for branch in self.branches:
            if branch.nullable:
                raise PatternError(f"a branch of {self.text} may be empty; write (?:…)? instead")
            _expect_apart(seen, branch.first, f"two branches of {self.text}")
            seen = _union(seen, branch.first)
            branch.check(following)


@dataclass(frozen=True)
class _Repeat(_Node):
    body: _Node = field(default_factory=lambda: _Node("", (), nullable=True))
    least: int = 0
    most: int | None = None

    def check(self, following: _Ranges) -> None:
        if self.body.nullable:
            raise PatternError(f"{self.text} repeats what may be empty")
        if self.least != self.most:
            _expect_apart(self.body.first, following, f"{self.text} and what follows it")
        again = self.most is None or self.most > 1
        self.body.check(_union(self.body.first, following) if again else following)


class _Parser:
    """Reads one pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> _Node:
        found = self._choice()
        if self._at < len(self._pattern):
            raise PatternError("a ) closes nothing; write \\) for the character")
        return found

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _choice(self) -> _Node:
        begin = self._at
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        first: _Ranges = ()
        for branch in branches:
            first = _union(first, branch.first)
        nullable = any(branch.nullable for branch in branches)
        times_in_all = max(branch.times for branch in branches)
        text = self._pattern[begin : self._at]
        return _Choice(text, first, nullable, times_in_all, tuple(branches))

    def _sequence(self) -> _Node:
        begin = self._at
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeat())
        first: _Ranges = ()
        for part in parts:
            first = _union(first, part.first)
            if not part.nullable:
                break
        nullable = all(part.nullable for part in parts)
        times_in_all = max((part.times for part in parts), default=1)
        text = self._pattern[begin : self._at]
        return _Sequence(text, first, nullable, times_in_all, tuple(parts))

    def _repeat(self) -> _Node:
        begin = self._at
        body = self._atom()
        times = self._times()
        if times is None:
            return body
        if self._peek() in _QUANTIFIERS:
            raise PatternError(
                f"{self._pattern[begin : self._at + 1]} has two quantifiers; expected one"
            )
        least, most = times
        text = self._pattern[begin : self._at]
        if most is not None and not max(1, least) <= most:
            raise PatternError(f"{text} repeats from {least} to {most} times, which is never")
        # Some engines write repetitions out, those inside of each other too.
        times_in_all = max(least, most or 1) * body.times
        if times_in_all > _MOST_TIMES:
            raise PatternError(
                f"{text} repeats {times_in_all} times in all; expected at most {_MOST_TIMES}"
            )
        nullable = least == 0 or body.nullable
        return _Repeat(text, body.first, nullable, times_in_all, body, least, most)

    def _times(self) -> tuple[int, int | None] | None:
        for sign, times in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self._take(sign):
                return times
        if self._peek() != "{":
            return None
        found = _COUNT.match(self._pattern, self._at)
        if found is None or (found[3] and not found[2]):
            raise PatternError("a { begins no count such as {3}, {3,} or {3,5}; write \\{ for it")
        self._at = found.end()
        least = int(found[1])
        if found[3]:
            return least, int(found[3])
        return least, None if found[2] else least

    def _atom(self) -> _Node:
        begin = self._at
        if self._take("(?:"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise PatternError(f"groups stand in each other {_DEEPEST} deep; that is too deep")
            inner = self._choice()
            if not self._take(")"):
                raise PatternError("a ( is not closed; write \\( for the character")
            self._depth -= 1
            return inner
        if self._take("["):
            found = self._class()
            return _Node(self._pattern[begin : self._at], found, nullable=False)
        point = ord(self._character(_SPECIAL, "outside of a class"))
        return _Node(self._pattern[begin : self._at], ((point, point),), nullable=False)

    def _character(self, special: frozenset[str], where: str) -> str:
        """One character, maybe escaped, which means itself."""
        if self._take("\\"):
            escaped = self._peek()
            if escaped not in special or not escaped:
                raise PatternError(
                    f"\\{escaped} means different things; write a class such as [0-9], and escape"
                    f" nothing {where} but {' '.join(sorted(special))}"
                )
            self._at += 1
            return escaped
        character = self._peek()
        if character == "." and character in special:
            raise PatternError(
                ". means different things for ends of lines; write a class such as [^@], or \\."
            )
        if character in special:
            raise PatternError(
                f"{character} stands where a character is expected; write \\{character} for it"
            )
        if not (character.isprintable() and ord(character) < 0x10000):
            found = f"U+{ord(character):04X}"
            raise PatternError(f"it has {found}; expected printable characters below U+10000")
        self._at += 1
        return character

    def _class(self) -> _Ranges:
        begin = self._at - 1
        negated = self._take("^")
        found: _Ranges = ()
        last = ""
        while not self._take("]"):
            low = high = self._in_class()
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._in_class()
            text = self._pattern[begin : self._at]
            if low > high:
                raise PatternError(f"the range at the end of {text} goes backwards")
            # Some engines give meanings to `&&`, `--`, `||` and `~~`.
            if _overlap(found, ((ord(low), ord(high)),)) or low == last:
                raise PatternError(f"{text} names a character twice")
            found, last = _union(found, ((ord(low), ord(high)),)), high
        if not found:
            raise PatternError("a class is empty")
        return _complement(found) if negated else found

    def _in_class(self) -> str:
        if not self._peek():
            raise PatternError("a [ is not closed; write \\[ for the character")
        return self._character(_SPECIAL_IN_CLASS, "in a class")


def _expect_apart(one: _Ranges, other: _Ranges, what: str) -> None:
    shared = _overlap(one, other)
    if shared:
        example = chr(shared[0])
        raise PatternError(
            f"{what} can both begin with {example!r}, so that the next character does not decide"
        )


def _union(one: _Ranges, other: _Ranges) -> _Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted((*one, *other)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: _Ranges) -> _Ranges:
    found: list[tuple[int, int]] = []
    begin = 0
    for low, high in ranges:
        if low > begin:
            found.append((begin, low - 1))
        begin = high + 1
    if begin <= _LAST:
        found.append((begin, _LAST))
    return tuple(found)


def _overlap(one: _Ranges, other: _Ranges) -> tuple[int, int] | None:
    """A range that both have."""
    for low, high in one:
        for other_low, other_high in other:
            if max(low, other_low) <= min(high, other_high):
                return max(low, other_low), min(high, other_high)
    return None
