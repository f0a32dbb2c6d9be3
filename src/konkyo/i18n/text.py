"""Texts in English and Japanese, from one catalogue: texts.toml beside this module.

A key names a text by its tables, "axis.relevance", and holds it in both languages. Placeholders are
those of `str.format`, the same in both. The pages' scripts fill the texts that `section` hands to
them.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


@dataclass(frozen=True)
class Text:
    """A text in both languages, for a page that carries both and shows one."""

    en: str
    ja: str

    def __getitem__(self, language: str) -> str:
        return self.ja if language == "ja" else self.en

    @classmethod
    def of(cls, key: str, /, **values: Any) -> "Text":
        """Return a text of the catalogue in both languages, filled as `t` fills it."""
        return cls(t(key, "en", **values), t(key, "ja", **values))

    @classmethod
    def of_name(cls, section: str, name: str) -> "Text":
        """Return `display_name` in both languages."""
        return cls(display_name(section, name, "en"), display_name(section, name, "ja"))

    @classmethod
    def join(cls, texts: Iterable["Text"]) -> "Text":
        """Return an enumeration."""
        parts = list(texts)
        return cls(", ".join(part.en for part in parts), "、".join(part.ja for part in parts))

    @classmethod
    def same(cls, words: str) -> "Text":
        """Return what reads alike in both languages: a number, a user's own name."""
        return cls(words, words)


def t(key: str, language: Language, /, **values: Any) -> str:
    """Return a text of the catalogue.

    Parameters
    ----------
    key : str
        Its tables and its name: "axis.relevance".
    language : str
        en or ja.
    **values
        The placeholders' values; of a `Text` the part in the language.

    Raises
    ------
    KeyError
        The catalogue has no such key, or a placeholder has no value.
    """
    words = {name: one[language] if isinstance(one, Text) else one for name, one in values.items()}
    return catalogue(language)[key].format(**words)


def display_name(section: str, name: str, language: Language) -> str:
    """Return what a name in the data is called in the section, or else in `column`, or itself.

    Models, portfolios and columns may be a user's own, which are shown as they are.
    """
    words = catalogue(language)
    return words.get(f"{section}.{name}") or words.get(f"column.{name}", name)


def section(*prefixes: str) -> dict[str, dict[str, str]]:
    """Return texts by language and key, their placeholders unfilled, for scripts to fill.

    Parameters
    ----------
    *prefixes : str
        Tables of the catalogue, or single keys.
    """
    return {
        language: {
            key: words
            for key, words in catalogue(language).items()
            if key in prefixes or key.startswith(tuple(f"{prefix}." for prefix in prefixes))
        }
        for language in LANGUAGES
    }


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return every text of a language by its key, placeholders unfilled."""
    return {key: pair[LANGUAGES.index(language)] for key, pair in _pairs().items()}


@cache
def _pairs() -> dict[str, tuple[str, str]]:
    text = files(__package__).joinpath("texts.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, entry in table.items():
        if isinstance(entry, list):
            english, japanese = entry
            yield prefix + name, (english, japanese)
        else:
            yield from _flat(entry, f"{prefix}{name}.")
