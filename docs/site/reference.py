"""The generated pages of the reference: keys of params.yaml, commands, public names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.cli
from pydantic import TypeAdapter
from ruamel.yaml import YAML

import konkyo
from konkyo.cli import app
from konkyo.config import Params

ROOT = Path(__file__).parents[2]
RETURNED = (
    "konkyo.library.backtest.Backtest",
    "konkyo.library.simulated.SimulatedMarket",
    "konkyo.models.ranking_module.RankingModule",
)
"""What public functions return, and the base of a module of one's own."""


def comments_of_params(text: str) -> dict[str, str]:
    """Return the comment of each key of params.yaml, by its dotted name."""
    comments: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    above: list[str] = []
    name = ""
    for line in text.splitlines():
        key = re.match(r"( *)(\w+):(?: .*?)??(?:\s+# (.*))?$", line)
        rest = re.match(r"( *)(?:[^#]*?\s)?# (.*)$", line)
        if key:
            indent = len(key[1])
            parents = [parent for parent in parents if parent[0] < indent] + [(indent, key[2])]
            name = ".".join(part for _, part in parents)
            comments[name] = " ".join([*above, key[3] or ""] if not indent else [key[3] or ""])
            above = []
        elif rest and not rest[1] and line.startswith("#"):
            above.append(rest[2])
        elif rest:
            comments[name] += " " + rest[2]
        elif not line:
            above = []
    return {key: comment.strip() for key, comment in comments.items()}


def limits(schema: dict[str, Any], models: dict[str, Any]) -> str:
    """Return type and limits of a JSON schema in words."""
    if "$ref" in schema:
        model = models[schema["$ref"].rpartition("/")[2]]
        return "{" + ", ".join(model["properties"]) + "}"
    if "anyOf" in schema:
        return " or ".join(limits(part, models) for part in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return " or ".join(f"`{choice}`" if choice != "" else '`""`' for choice in choices)
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {limits(schema.get('items') or {}, models)}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"mapping to {limits(values if isinstance(values, dict) else {}, models)}"
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
    }
    bounds = [f"{word} {schema[name]:,.10g}" for name, word in words.items() if name in schema]
    return " ".join([{"string": "text"}.get(kind, kind), *bounds])


def params_page() -> str:
    """Return the reference of params.yaml: default, type, limits and meaning of every key."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    comments = comments_of_params(text)
    schema = TypeAdapter(Params).json_schema()
    models = schema["$defs"]

    def rows(values: dict[str, Any], model: dict[str, Any], section: str) -> Iterator[str]:
        for key, value in values.items():
            field = model["properties"][key]
            name, reference = f"{section}.{key}", field.get("$ref", "").rpartition("/")[2]
            if reference and any(key.startswith(f"{name}.") for key in comments):
                yield from rows(value, models[reference], name)
                continue
            # The space of a search has the keys of train and prepare.
            meaning = comments[name] or comments.get(f"train.{key}") or comments[f"prepare.{key}"]
            cells = [
                f"`{name.partition('.')[2]}`",
                f"`{inline(value)}`",
                limits(field, models),
                meaning,
            ]
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    page = [
        "# Params\n",
        "Every key of `params.yaml` with its value in the main job. An unknown key or a value "
        "beyond its limits is an error that says what is allowed.\n",
    ]
    for section, values in YAML(typ="safe", pure=True).load(text).items():
        model = models[schema["properties"][section]["$ref"].rpartition("/")[2]]
        page += [f"## {section}\n", model["description"] + "\n"]
        page += ["| key | value | type and limits | meaning |", "|---|---|---|---|"]
        page += [*rows(values, model, section), ""]
    return "\n".join(page)


def inline(value: Any) -> str:
    """Return a value as params.yaml writes it, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    names = {None: "null", True: "true", False: "false", "": '""'}
    return names[value] if value is None or isinstance(value, bool) or value == "" else str(value)


def commands_page() -> str:
    """Return the reference of the command line, by typer."""
    command = typer.main.get_command(app)
    page = typer.cli.get_docs_for_click(obj=command, ctx=typer.Context(command), name="konkyo")
    return page.replace("# `konkyo`", "# Commands", 1)


def python_page() -> str:
    """Return the reference of the public names, for mkdocstrings; a line of the package's each."""
    first, *lines = (konkyo.__doc__ or "").strip().splitlines()
    texts = dict(line.split(maxsplit=1) for line in lines if line)
    names = "\n".join(f"| [`{name}`][konkyo.{name}] | {texts[name]} |" for name in konkyo.__all__)
    dotted = [*(f"konkyo.{name}" for name in konkyo.__all__), *RETURNED]
    blocks = "\n".join(f"::: {name}\n" for name in dotted)
    return f"# Python\n\n{first}\n\n| name | |\n|---|---|\n{names}\n\n{blocks}"
