"""docker-compose.yml as tests read it, with its variables filled in."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.dashboard.processes import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?])([^}]*))?\})")


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """The text as Compose reads it. Raises KeyError for a `${NAME:?…}` without a value."""

    def fill(match: re.Match[str]) -> str:
        dollar, name, kind, word = match.groups()
        if dollar:
            return "$"
        return values.get(name) or (word if kind == "-" else values[name])

    return VARIABLE.sub(fill, text)


def variables() -> set[str]:
    return {match[2] for match in VARIABLE.finditer(TEXT) if match[2]}


def required_variables() -> set[str]:
    return {match[2] for match in VARIABLE.finditer(TEXT) if match[3] == "?"}


def image_sources() -> set[str]:
    """What the Dockerfile copies into the image of the application."""
    application = DOCKERFILE.rpartition("FROM ")[2]
    lines = re.findall(r"^COPY (?!--from)(.*)", application, re.MULTILINE)
    return {word for line in lines for word in line.split()[:-1]}


def compose(values: Mapping[str, str]) -> dict[str, Any]:
    """The whole file; like Compose, it is parsed first and its words are filled in afterwards."""

    def fill(part: Any) -> Any:
        match part:
            case str():
                return interpolated(part, values)
            case list():
                return [fill(each) for each in part]
            case dict():
                return {name: fill(each) for name, each in part.items()}
        return part

    return fill(yaml.safe_load(TEXT))
