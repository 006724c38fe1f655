"""Patterns mean the same everywhere, and match without going back."""

from __future__ import annotations

import math
import re
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.contract.patterns import LONGEST_PATTERN, PatternError, check_pattern

ACCEPTED = {
    "": ["", "a"],
    "[A-Z]{3}-[A-Z]{3}-[0-9]{4}": ["KIT-BRD-0008", "KIT-BRD-008"],
    "[a-z]+(?:_[a-z0-9]+)*": ["shopping_cart", "shopping_", "a\n"],
    "[^@ ]+@[^@ .]+(?:\\.[^@ .]+)+": ["a@b.c", "\ud800@b.c", "ä\n@b.c", "a@b..c", "a@b"],
    "(?:a|b(?:c|d)?|e{2})": ["a", "bc", "ee", "e", "bb"],
    "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}": ["0" * 8 + "-0000" * 3 + "-" + "f" * 12, "0"],
    "\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|": ["^$\\.*+?()[]{}|", "^$"],
    r"[\^\\\[\]\-\(\)\{\}\|\/.*+?$]*": [r"^\[]-.*+?(){}|$/", "a"],
    "[äöü€]+": ["ä€", "a"],
    "a{0,1000}": ["", "a" * 1000, "a" * 1001],
    "a{2,}b?": ["aa", "aaab", "ab"],
    "#~&&/": ["#~&&/", "#"],
}


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_a_pattern_of_the_common_part_is_accepted(pattern: str) -> None:
    check_pattern(pattern)
    texts = ACCEPTED[pattern]
    found = [re.fullmatch(pattern, text) is not None for text in texts]
    assert (found[0], found[-1]) == (True, False)
    # What OpenAPI has of it is looked for anywhere in the text.
    assert found == [re.search(rf"\A(?:{pattern})\Z", text) is not None for text in texts]


REFUSED = {
    "^a$": "^ stands where a character is expected; write \\^ for it",
    "a.b": ". means different things for ends of lines; write a class such as [^@], or \\.",
    "\\d+": "\\d means different things; write a class such as [0-9], and escape nothing outside",
    "\\w": "\\w means different things",
    "\\n": "\\n means different things",
    "\\-": "\\- means different things",
    "[\\.]": "\\. means different things; write a class such as [0-9], and escape nothing in a",
    "a\\": "\\ means different things",
    "[a-z-]": "- stands where a character is expected; write \\- for it",
    "[a/b]": "/ stands where a character is expected; write \\/ for it",
    "[(]": "( stands where a character is expected; write \\( for it",
    "[[]": "[ stands where a character is expected; write \\[ for it",
    "[^]": "a class is empty",
    "[]": "a class is empty",
    "[a": "a [ is not closed; write \\[ for the character",
    "[a-": "a [ is not closed",
    "[z-a]": "the range at the end of [z-a goes backwards",
    "[aa]": "[aa names a character twice",
    "[a&&b]": "[a&& names a character twice",
    "[a-cb-d]": "[a-cb-d names a character twice",
    "(a)": "( stands where a character is expected; write \\( for it",
    "(?=a)": "( stands where a character is expected",
    "(?:a": "a ( is not closed; write \\( for the character",
    "a)": "a ) closes nothing; write \\) for the character",
    "a??": "a?? has two quantifiers; expected one",
    "a*+": "a*+ has two quantifiers; expected one",
    "a{2}{3}": "a{2}{ has two quantifiers; expected one",
    "*": "* stands where a character is expected; write \\* for it",
    "a{": "a { begins no count such as {3}, {3,} or {3,5}; write \\{ for it",
    "a{,3}": "a { begins no count",
    "a{3,2}": "a{3,2} repeats from 3 to 2 times, which is never",
    "a{0}": "a{0} repeats from 0 to 0 times, which is never",
    "a{1001}": "a{1001} repeats 1001 times in all; expected at most 1000",
    "(?:a{100}b){100}": "(?:a{100}b){100} repeats 10000 times in all; expected at most 1000",
    "(?:a*)*": "(?:a*)* repeats what may be empty",
    "(?:)+": "(?:)+ repeats what may be empty",
    "a|": "a branch of a| may be empty; write (?:…)? instead",
    "(?:a+)+": "a+ and what follows it can both begin with 'a'",
    "(?:a|a)": "two branches of a|a can both begin with 'a'",
    "(?:[a-z]|[^b])": "two branches of [a-z]|[^b] can both begin with 'a'",
    "a*a": "a* and what follows it can both begin with 'a', so that the next character does not",
    "a?[a-z]": "a? and what follows it can both begin with 'a'",
    "(?:a?b?)+": "(?:a?b?)+ repeats what may be empty",
    "(?:a{1,2}){2}": "a{1,2} and what follows it can both begin with 'a'",
    "(?:[a-z]+ ?)*": "[a-z]+ and what follows it can both begin with 'a'",
    "\x00": "it has U+0000; expected printable characters below U+10000",
    "\t": "it has U+0009",
    "\N{GRINNING FACE}": "it has U+1F600",
    "\ud800": "it has U+D800",
    "a" * 201: "it has 201 characters; expected at most 200",
    "(?:" * 11 + "a" + ")" * 11: "groups stand in each other 10 deep; that is too deep",
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_any_other_pattern_is_refused_and_why(pattern: str) -> None:
    with pytest.raises(PatternError) as refused:
        check_pattern(pattern)
    assert str(refused.value).startswith(REFUSED[pattern])


def is_accepted(pattern: str) -> bool:
    try:
        check_pattern(pattern)
    except PatternError:
        return False
    return True


@given(st.text(alphabet="ab-^$\\.*+?()[]{}|:,12&", max_size=12))
@settings(deadline=None, max_examples=1_000)
def test_what_is_accepted_compiles_and_nobody_warns_of_it(pattern: str) -> None:
    if is_accepted(pattern):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", "[b-d]", "-"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,}", "{0,3}"])).map(
            lambda both: f"(?:{both[0]}){both[1]}"
        ),
    ),
    max_leaves=8,
)


@given(PATTERNS.filter(is_accepted), st.text(alphabet="abcd-", min_size=1, max_size=4))
@settings(deadline=None, max_examples=50)
def test_an_accepted_pattern_takes_time_in_proportion_to_the_text(pattern: str, part: str) -> None:
    compiled = re.compile(pattern)

    def seconds(size: int) -> float:
        text = part * (size // len(part)) + "\n"
        best = math.inf
        for _ in range(3):
            begun = time.process_time()
            compiled.fullmatch(text)
            best = min(best, time.process_time() - begun)
        return best

    # One that goes back over and over takes minutes for so many characters.
    assert seconds(40_000) < 9 * max(seconds(10_000), 0.001)


def test_the_longest_pattern_is_checked_at_once() -> None:
    patterns = [
        "(?:a|b)?" * (LONGEST_PATTERN // 8),
        "[a-b]" * (LONGEST_PATTERN // 5),
        "|".join(chr(0x4E00 + at) for at in range(LONGEST_PATTERN // 2)),
        "(?:" * 10 + "a" + ")?" * 10,
    ]
    begun = time.process_time()
    for pattern in patterns:
        is_accepted(pattern)
    assert time.process_time() - begun < 1
