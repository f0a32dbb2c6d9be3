"""English and Japanese names of features, and the words for their high and low values."""

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pandas as pd

from konkyo.errors import RecordsError
from konkyo.i18n import LANGUAGES, Language, Text, catalogue, t

_TEXTS = ("en", "ja", "high_en", "high_ja", "low_en", "low_ja")
_TRANSFORMED = re.compile(r"(.+)_(change|difference)")


def read_own(path: Path) -> pd.DataFrame:
    """Return the user's names of features, from a text file as spreadsheets write it.

    Parameters
    ----------
    path : Path
        UTF-8 text with a header, separated by commas, or by semicolons or tabs where the header has
        no comma. Columns other than `name` and the texts are left out: a column `group` or
        `transform` of the user's must not overrule the panel's.

    Returns
    -------
    DataFrame
        name and those of en, ja, high_en, high_ja, low_en, low_ja that the file has, text; an empty
        cell is an empty text. One row a name, the first of several.

    Raises
    ------
    RecordsError
        The file is not such a text, or has no column `name`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RecordsError(
            f"{path} is no UTF-8 text: save it as UTF-8 (in a spreadsheet: CSV UTF-8)"
        ) from None
    except OSError as error:
        raise RecordsError(f"{path} cannot be read ({error.strerror})") from None
    mark = next((mark for mark in ",;\t" if mark in text.partition("\n")[0]), ",")
    try:
        header, *rows = [row for row in csv.reader(StringIO(text), delimiter=mark) if row] or [[]]
    except csv.Error as error:
        raise RecordsError(f"{path} cannot be read ({error}): save it as CSV UTF-8") from None
    uneven = [number for number, row in enumerate(rows, start=1) if len(row) != len(header)]
    if uneven or not header:
        raise RecordsError(
            f"{path} cannot be read: row {[*uneven, 0][0]} has not as many fields as the header; "
            "write a header `name,en,ja` and one row a feature, in quotes where a text has "
            "a comma"
        )
    table = pd.DataFrame(rows, columns=header, dtype="str")
    table.columns = [column.strip() for column in header]
    if list(table.columns).count("name") != 1:
        raise RecordsError(
            f"{path} has no column 'name', or several: it has {list(table.columns)}; write "
            "a header `name,en,ja`, where name is a feature's as in data/panel/catalogue.csv"
        )
    return table.filter(["name", *_TEXTS]).drop_duplicates("name", ignore_index=True)


def labels(names: Iterable[str], own: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what to call features in English and Japanese.

    Names come, first found first, from `own`, from features.csv of `konkyo.i18n` (where return_{k}
    stands for any number k of months), and from the name itself with its underscores as spaces. The
    change and the difference of a market series are called after the series.

    Parameters
    ----------
    names : iterable of str
        Features; groups of them, "absorbed" and "unranked" too.
    own : DataFrame, optional
        name and any of group, transform (the panel's catalogue has them: without them an unknown
        feature is taken for a characteristic unless its name begins like a dummy's), en, ja,
        high_en, high_ja, low_en, low_ja. Empty cells say nothing.

    Returns
    -------
    DataFrame
        One row a name, in the order asked: feature; kind (characteristic, sector, calendar, level,
        change, difference, rate, rate_difference or group: how its value is put into words); en
        and ja, its name; said_en and said_ja, its name inside a sentence; high_en, high_ja,
        low_en, low_ja, the words for its values; unit and unit_ja, of its values.
    """
    mine = {} if own is None else {row["name"]: _filled(row) for row in own.to_dict("records")}
    return pd.DataFrame([_label(name, mine) for name in names], columns=_COLUMNS)


_COLUMNS = ["feature", "kind", "en", "ja", "said_en", "said_ja", *_TEXTS[2:], "unit", "unit_ja"]


def _label(name: str, own: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    found = {**_known(name), **own.get(name, {})}
    kind = _kind(name, found)
    transformed = _TRANSFORMED.fullmatch(name)
    said = found
    if transformed and kind in ("change", "difference"):
        series = transformed[1]
        base = {**_known(series), **own.get(series, {})}
        if kind == "difference" and base.get("form") == "rate":
            kind = "rate_difference"
        said = {"en": base.get("en", _plain(series)), "ja": base.get("ja", _plain(series))}
        found = _transformed(said, transformed[2]) | found
    words = {
        f"{side}_{language}": _of_kind(f"feature.{kind}.{side}", f"feature.default.{side}")[
            language
        ]
        for side in ("high", "low")
        for language in LANGUAGES
    }
    unit = found.get("transform", "standardised") if kind == "characteristic" else kind
    unit = "dummy" if kind in ("sector", "calendar") else unit
    # A group of features has no unit.
    units = (
        Text.same("")
        if kind == "group"
        else _of_kind(f"feature.unit.{unit}", "feature.unit.standardised")
    )
    plain = {"en": _plain(name), "ja": _plain(name)}
    chosen = {text: found[text] for text in _TEXTS if text in found}
    row = {"feature": name, "kind": kind, **plain, **words, **chosen}
    spoken = {**plain, **said}
    row["said_en"], row["said_ja"] = _spoken(spoken["en"], kind), _japanese(spoken["ja"])
    row["unit"], row["unit_ja"] = units.en, units.ja
    return row


def _of_kind(key: str, default: str) -> Text:
    return Text.of(key if key in catalogue("en") else default)


def _kind(name: str, found: Mapping[str, str]) -> str:
    """Return how the values of a feature are put into words."""
    group = found.get("group") or _group(name, found)
    if group != "market":
        return group
    transformed = _TRANSFORMED.fullmatch(name)
    kind = found.get("transform") or (transformed[2] if transformed else "level")
    return "rate" if kind == "level" and found.get("form") == "rate" else kind


def _group(name: str, found: Mapping[str, str]) -> str:
    """Return the group of a feature that no catalogue names."""
    if "form" in found:
        return "market" if found["form"] == "rate" else found["form"]
    if name.startswith("sector_"):
        return "sector"
    if re.fullmatch(r"month_\d\d", name):
        return "calendar"
    transformed = _TRANSFORMED.fullmatch(name)
    # A series that is known as one: of the rest, nobody can tell a change from an attribute.
    base = _known(transformed[1]) if transformed else {}
    return "market" if base.get("form") == "rate" else "characteristic"


def _transformed(series: Mapping[str, str], transform: str) -> dict[str, str]:
    """Return the name of a market series' change or difference, made from the series' own."""
    # In Japanese, brackets do not stand behind brackets.
    form = "bracketed" if series["ja"].endswith("）") else "plain"
    key = f"feature.transform.{transform}_{form}"
    return {language: t(key, language, name=series[language]) for language in LANGUAGES}


def _plain(name: str) -> str:
    """Return a name in words: its underscores as spaces, without what its group says."""
    return name.removeprefix("sector_").replace("_", " ")


def _spoken(english: str, kind: str) -> str:
    """Return a name as it stands inside a sentence: "Sales growth, forecast" as one phrase."""
    if kind not in ("characteristic", "rate", "rate_difference"):
        return english
    head, _, tail = english.partition(", ")
    if tail not in ("", "actual", "forecast"):
        return english
    # An abbreviation (ROE, EBITDA) keeps its capitals.
    head = head if head[:2].isupper() else head[:1].lower() + head[1:]
    return f"forecast {head}" if tail == "forecast" else head


def _japanese(japanese: str) -> str:
    """Return a name as it stands inside a sentence: what is in brackets goes to the front."""
    return re.sub(r"^(.+?)（(予想|実績)）(.*)$", r"\2\1\3", japanese)


def _filled(row: Mapping) -> dict[str, str]:
    return {str(key): str(value) for key, value in row.items() if pd.notna(value) and value != ""}


@cache
def _known(name: str) -> dict[str, str]:
    """Return all that the project knows of a name; empty if nothing."""
    exact, patterns = _tables()
    for pattern, texts in patterns:
        months = pattern.fullmatch(name)
        if months:
            return _for_months(texts, int(months[1])) | exact.get(name, {})
    return exact.get(name, {})


def _for_months(texts: Mapping[str, str], k: int) -> dict[str, str]:
    years = k > 12 and k % 12 == 0
    span = {
        "en": f"{k // 12}-year" if years else f"{k}-month",
        "ja": f"{k // 12}年" if years else f"{k}か月",
    }
    return {
        key: text.format(k=k, span=span["ja" if key.endswith("ja") else "en"])
        for key, text in texts.items()
    }


@cache
def _tables() -> tuple[dict[str, dict[str, str]], list[tuple[re.Pattern, dict[str, str]]]]:
    """Return the known names, and those for any number of months."""
    with files("konkyo.i18n").joinpath("features.csv").open(encoding="utf-8") as file:
        rows = pd.read_csv(file, keep_default_na=False).to_dict("records")
    exact, patterns = {}, []
    for row in rows:
        name, texts = row.pop("name"), _filled(row)
        if "{k}" in name:
            patterns.append((re.compile(name.replace("{k}", r"([1-9]\d*)")), texts))
        else:
            exact[name] = texts
    return exact, patterns


def feature_names(labels: pd.DataFrame, language: Language) -> dict[str, str]:
    """Return what each feature is called.

    Parameters
    ----------
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    """
    return dict(zip(labels["feature"], labels[language], strict=True))


def value_words(labels: pd.DataFrame, feature: str, language: Language) -> str:
    """Return an input's name with the unit of its values.

    Parameters
    ----------
    labels : DataFrame
        feature, en, ja, unit, unit_ja.
    feature : str
        One of them.
    language : str
        en or ja.
    """
    row = labels[labels["feature"] == feature].iloc[0]
    unit = row["unit_ja" if language == "ja" else "unit"]
    return t("axis.input_value", language, name=row[language], unit=unit)


def sector_name(sector: object, names: dict[str, str], language: Language) -> str:
    """Return what a sector is called: the label of its dummy, where it has one."""
    if pd.isna(sector) or sector == "":
        return t("legend.no_sector", language)
    return names.get(f"sector_{sector}", str(sector))
