"""Sentences that the parts below the console say in English, and the same in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import zip_longest


class Phrases:
    """Pairs of an English sentence and its Chinese one, with `{}` in both for the same words in between.

    Longer sentences are tried first, so that one that begins like another is not taken for it. They are made ready when
    the first is asked for: most processes and commands never ask.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    @cached_property
    def _all(self) -> list[tuple[re.Pattern[str], list[str]]]:
        ordered = sorted(self._pairs, key=lambda pair: -len(pair[0].replace("{}", "")))
        return [
            (re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL), chinese.split("{}"))
            for english, chinese in ordered
        ]

    def said(self, sentence: str, language: str) -> str:
        """Say a sentence in the reader's language; one that is not known stays as it is."""
        return sentence if language.startswith("en") else (self.chinese(sentence) or sentence)

    def told(self, text: str, details: Phrases | None = None) -> str:
        """Say a text in Chinese; of one that names something first, what follows it, which `details` may know."""
        known = self.chinese(text)
        if known is not None:
            return known
        name, sign, rest = text.partition(": ")
        told = (details or self).chinese(rest) if sign else None
        return text if told is None else f"{self.chinese(name) or name}：{told}"

    def chinese(self, sentence: str, within: Callable[[str], str] = str) -> str | None:
        """Say a sentence in Chinese; None where it is not known. `within` says what stands for the words in between."""
        for pattern, pieces in self._all:
            found = pattern.fullmatch(sentence)
            if found is not None:
                words = map(within, found.groups())
                return "".join(part for pair in zip_longest(pieces, words, fillvalue="") for part in pair)
        return None
