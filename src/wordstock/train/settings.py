"""A trainer's settings: a config, and single fields of it given by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from wordstock._settings import check_type
from wordstock.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["with_settings"]

Config = TypeVar("Config", bound="DataclassInstance")


def with_settings(kind: type[Config], config: Config | None, settings: Mapping[str, Any]) -> Config:
    """The config, or one of ``kind`` with its defaults, with some of its values replaced.

    Raises
    ------
    InputError
        A config of another kind, a setting that it does not have, or a value out of range.
    """
    config = kind() if config is None else config
    check_type("config", config, kind, f"a {kind.__name__}")
    known = [field.name for field in fields(config)]
    if unknown := [name for name in settings if name not in known]:
        raise InputError(f"unknown setting {', '.join(unknown)}; known are {', '.join(known)}")
    return replace(config, **settings)
