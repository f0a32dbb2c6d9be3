"""English and Japanese names of features, and the words for their high and low values."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pandas as pd

from konkyo.errors import RecordsError
from konkyo.i18n import LANGUAGES, Language, catalogue, t
from konkyo.io import read_csv

_COLUMNS = (
    "feature", "kind", "en", "ja", "phrase_en", "phrase_ja", "high_en", "high_ja", "low_en",
    "low_ja", "unit", "unit_ja",
)  # fmt: skip
_TEXTS = ("en", "ja", "high_en", "high_ja", "low_en", "low_ja")
_TRANSFORMED = re.compile(r"(.+)_(change|difference)")

Texts = Mapping[str, str]
"""A row of features.csv or of a user's labels, without its empty cells."""


def read_labels(path: Path) -> pd.DataFrame:
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


def labels(names: Iterable[str], overrides: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what to call features in English and Japanese.

    The first of these that has a text gives it: `overrides`; features.csv of `konkyo.i18n`, where
    return_{k} stands for any number k of months; the name itself, its underscores as spaces. The
    change and the difference of a market series are called after the series.

    Parameters
    ----------
    names : iterable of str
        Features; groups of them, "absorbed" and "unranked" too.
    overrides : DataFrame, optional
        name and any of group, transform (the panel's catalogue has them: without them an unknown
        feature is taken for a characteristic unless its name begins like a dummy's), en, ja,
        high_en, high_ja, low_en, low_ja. Empty cells say nothing.

    Returns
    -------
    DataFrame
        One row a name, in their order: feature; kind (characteristic, sector, calendar, level,
        change, difference, rate, rate_difference or group: how its value is put into words); en
        and ja, its name; phrase_en and phrase_ja, its name inside a sentence; high_en, high_ja,
        low_en, low_ja, the words for its values; unit and unit_ja, of its values.
    """
    rows = [] if overrides is None else overrides.to_dict("records")
    by_name = {row["name"]: _without_empty(row) for row in rows}

    def texts_of(name: str) -> Texts:
        return {**_catalogue_texts(name), **by_name.get(name, {})}

    return pd.DataFrame([_label(name, texts_of) for name in names], columns=list(_COLUMNS))


def _label(name: str, texts_of: Callable[[str], Texts]) -> dict[str, str]:
    texts, match = texts_of(name), _TRANSFORMED.fullmatch(name)
    series = {**_plain(match[1]), **texts_of(match[1])} if match else {}
    kind = _kind(name, texts, series, match[2] if match else "level")
    spoken = {**_plain(name), **texts}
    if match and kind in ("change", "difference", "rate_difference"):
        # In Japanese, brackets do not stand behind brackets.
        form = "bracketed" if series["ja"].endswith("）") else "plain"
        key = f"feature.transform.{match[2]}_{form}"
        names = {language: t(key, language, name=series[language]) for language in LANGUAGES}
        texts, spoken = {**names, **texts}, series
    unit = "dummy" if kind in ("sector", "calendar") else kind
    if kind == "characteristic":
        unit = texts.get("transform", "standardised")
    label = {"feature": name, "kind": kind, **_plain(name)}
    for language, suffix in (("en", ""), ("ja", "_ja")):
        words = catalogue(language)
        for side in ("high", "low"):
            default = words[f"feature.default.{side}"]
            label[f"{side}_{language}"] = words.get(f"feature.{kind}.{side}", default)
        standard = words["feature.unit.standardised"]
        # A group of features has no unit.
        label[f"unit{suffix}"] = (
            "" if kind == "group" else words.get(f"feature.unit.{unit}", standard)
        )
    label["phrase_en"] = _english_phrase(spoken["en"], kind)
    # What is in brackets goes to the front.
    label["phrase_ja"] = re.sub(r"^(.+?)（(予想|実績)）(.*)$", r"\2\1\3", spoken["ja"])
    return label | {column: text for column, text in texts.items() if column in label}


def _kind(name: str, texts: Texts, series: Texts, transform: str) -> str:
    """Return how the values of a feature are put into words."""
    form, group = texts.get("form"), texts.get("group")
    if group is None and form is not None:
        group = "market" if form == "rate" else form
    elif group is None and name.startswith("sector_"):
        group = "sector"
    elif group is None and re.fullmatch(r"month_\d\d", name):
        group = "calendar"
    elif group is None:
        # Of other names nobody can tell the change of a series from a characteristic.
        group = "market" if series.get("form") == "rate" else "characteristic"
    if group != "market":
        return group
    kind = texts.get("transform", transform)
    if (form if kind == "level" else series.get("form")) == "rate":
        return {"level": "rate", "difference": "rate_difference"}.get(kind, kind)
    return kind


def _plain(name: str) -> dict[str, str]:
    """Return a name in words: its underscores as spaces, without what its group says."""
    words = name.removeprefix("sector_").replace("_", " ")
    return dict.fromkeys(LANGUAGES, words)


def _english_phrase(english: str, kind: str) -> str:
    """Return a name as it stands inside a sentence: "Sales growth, forecast" as one phrase."""
    head, _, tail = english.partition(", ")
    if kind not in ("characteristic", "rate", "rate_difference") or tail not in (
        "", "actual", "forecast"
    ):  # fmt: skip
        return english
    # An abbreviation (ROE, EBITDA) keeps its capitals.
    head = head if head[:2].isupper() else head[:1].lower() + head[1:]
    return f"forecast {head}" if tail == "forecast" else head


def _without_empty(row: Mapping) -> dict[str, str]:
    return {str(key): str(value) for key, value in row.items() if pd.notna(value) and value != ""}


@cache
def _catalogue_texts(name: str) -> dict[str, str]:
    """Return the row of a name in features.csv, that of return_{k} for any number of months."""
    exact, patterns = _features()
    for pattern, texts in patterns:
        if months := pattern.fullmatch(name):
            k = int(months[1])
            years = k > 12 and k % 12 == 0
            spans = {
                "en": f"{k // 12}-year" if years else f"{k}-month",
                "ja": f"{k // 12}年" if years else f"{k}か月",
            }
            filled = {
                key: text.format(k=k, span=spans["ja" if key.endswith("ja") else "en"])
                for key, text in texts.items()
            }
            return filled | exact.get(name, {})
    return exact.get(name, {})


@cache
def _features() -> tuple[dict[str, dict[str, str]], list[tuple[re.Pattern, dict[str, str]]]]:
    """Return the rows of features.csv by name, and those of any number of months by pattern."""
    rows = read_csv(files("konkyo.i18n") / "features.csv", na_values=[]).to_dict("records")
    texts = {row.pop("name"): _without_empty(row) for row in rows}
    patterns = [
        (re.compile(name.replace("{k}", r"([1-9]\d*)")), row)
        for name, row in texts.items()
        if "{k}" in name
    ]
    return texts, patterns


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
