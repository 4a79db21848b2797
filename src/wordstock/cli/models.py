"""``wordstock models`` and ``wordstock info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock._paths import user_path
from wordstock.errors import InputError

__all__ = ["info", "models"]

_UNKNOWN = "-"
_FIRST = 8  # keys shown of a table


def models(
    language: Annotated[str, typer.Option("--language", "-l", help="Only models of this language, such as fr.")] = "",
    kind: Annotated[str, typer.Option(help="Only this kind: table, encoder or static.")] = "",
    cached: Annotated[bool, typer.Option("--cached", help="Only models in the cache, by name and with sizes.")] = False,
    remove: Annotated[str, typer.Option(metavar="NAME", help="Delete this model from the cache and stop.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models that can be loaded by name, and those in the cache."""
    if kind not in ("", "table", "encoder", "static"):
        raise InputError(f"--kind {kind}: known are table, encoder, static")
    if remove:
        _remove(remove)
        return
    found = [
        row
        for row in _rows(language)
        if (not kind or row["kind"] == kind)
        and (not language or row["language"] == language)
        and (not cached or row["cached"])
    ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    _show_models(found)


def _rows(language: str) -> list[dict[str, Any]]:
    from wordstock.hub.cache import listed, lookup
    from wordstock.hub.fetching import entry_of
    from wordstock.hub.registry import registry

    known = registry()
    families = [family for family in known.families.values() if not language or language in family.languages]
    entries = dict(known.entries)
    if language:
        entries |= {entry.name: entry for entry in (family.entry(language) for family in families)}
    entries |= {manifest.name: entry_of(manifest) for manifest in listed()}
    rows = []
    for entry in entries.values():
        manifest = lookup(entry)
        rows.append(_row(entry, manifest.size if manifest else 0))
    if not language:
        for family in families:
            row = _row(family.entry(family.languages[0]), 0)
            name = family.pattern.replace("{lang}", "LANG")
            rows.append({**row, "name": name, "language": f"{len(family.languages)}", "languages": family.languages})
    return rows


def _row(entry: Any, cached: int) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "language": entry.language,
        "dim": entry.dim,
        "keys": entry.vocabulary,
        "size": entry.size,
        "licence": entry.licence,
        "source": str(entry.source),
        "verified": entry.verified,
        "cached": cached > 0,
        "bytes_in_cache": cached,
    }


def _show_models(rows: list[dict[str, Any]]) -> None:
    from wordstock.hub.cache import cache_folder

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("lang", no_wrap=True)
    table.add_column("dim", justify="right", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("licence", no_wrap=True, overflow="ellipsis", max_width=18)
    table.add_column("", no_wrap=True)
    table.add_column("cached", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(row["name"]),
            row["kind"] or _UNKNOWN,
            escape(row["language"]) or _UNKNOWN,
            str(row["dim"] or _UNKNOWN),
            f"{row['size'] / 1e6:,.0f}" if row["size"] else _UNKNOWN,
            escape(row["licence"]) or _UNKNOWN,
            "*" if row["verified"] else "",
            _megabytes(row["bytes_in_cache"]) if row["cached"] else "",
        )
    console = Console()
    console.print(table)
    console.print("* fetched and checked by wordstock's own tests; the others are not verified here", style="dim")
    console.print(f"cache: {escape(str(cache_folder()))}", style="dim", soft_wrap=True)


def _remove(name: str) -> None:
    from wordstock.hub import remove

    there = remove(name)
    Console().print(f"{escape(name)} removed from the cache" if there else f"{escape(name)} was not in the cache")


def info(
    model: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A registered name or a path to vectors.")],
    verify: Annotated[bool, typer.Option("--verify", help="Recompute the digest over all bytes and compare.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what is known of a model: its card, and for vectors at hand their size, settings and fingerprint."""
    facts: dict[str, Any] = {} if _is_path(model) else _registered(model)
    if (folder := _encoder_folder(model, facts)) is not None:
        from wordstock.encoders import describe_folder

        facts |= describe_folder(folder)
    elif (table := _at_hand(model, facts)) is not None:
        facts |= _described(table)
        if verify:
            facts["digest matches"] = getattr(table, "table", table).verify()
    if verify and "digest matches" not in facts:
        raise InputError(f"{model} is not a table at hand, so there is nothing to verify; load it first")
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        _show_facts(model, facts)
    if facts.get("digest matches") is False:
        raise typer.Exit(1)


def _is_path(model: str) -> bool:
    from wordstock.hub import registry

    path = user_path(model)
    if path.is_dir():
        return registry().get(model) is None
    return path.is_file() or ("/" in model and not model.startswith("hf:"))


def _registered(name: str) -> dict[str, Any]:
    from wordstock.hub import find
    from wordstock.hub.cache import lookup

    entry = find(name)
    manifest = lookup(entry)
    facts = {
        "name": entry.name,
        "kind": entry.kind or (manifest.kind if manifest else None),
        "language": entry.language,
        "dim": entry.dim,
        "keys": entry.vocabulary,
        "licence": entry.licence,
        "source": str(entry.source),
        "download": entry.size,
        "sha256": entry.sha256 or "not on record",
        "training": entry.training,
        "citation": entry.citation,
        "notes": list(entry.notes),
        "verified": entry.verified,
        "cached": str(manifest.path) if manifest else None,
    }
    if manifest:
        facts |= {"fetched": manifest.fetched, **manifest.detail}
    return facts


def _encoder_folder(model: str, facts: dict[str, Any]) -> Path | None:
    from wordstock.hub.kinds import is_encoder

    if facts:
        return Path(facts["cached"]) if facts["cached"] and facts["kind"] == "encoder" else None
    path = user_path(model)
    return path if is_encoder(path) else None


def _at_hand(model: str, facts: dict[str, Any]) -> Any:
    from wordstock.hub import load

    if not facts:
        return load(model)
    return load(model) if facts["cached"] and facts["kind"] in ("table", "static") else None


def _described(found: Any) -> dict[str, Any]:
    table = getattr(found, "table", found)  # a static model is a table with a tokeniser of its own
    described = {
        "keys": len(table),
        "dim": table.dim,
        "precision": table.storage.precision,
        "bytes of vectors": table.storage.nbytes,
        "casing": table.card.casing or table.config.tokenizer.casing,
        "encode": table.config.to_dict(),
        "subwords": table.subwords is not None,
        "counts": table.vocabulary.counts is not None,
        "fingerprint": found.fingerprint,
        "first keys": list(table.keys[:_FIRST]),
    }
    return {**found.card.to_dict(), **described}


def _show_facts(model: str, facts: dict[str, Any]) -> None:
    table = Table(title=escape(model), title_justify="left", show_header=False)
    table.add_column("field", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value in facts.items():
        table.add_row(escape(name), escape(_shown(name, value)))
    Console().print(table)


def _shown(name: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return "no" if name == "cached" else "unknown" if name != "notes" else "none"
    if name == "verified":
        return "yes" if value else "not verified here"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "download":
        return f"{value:,} bytes"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(key, inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ("; " if name == "notes" else " ").join(map(str, value))
    return str(value)


def _megabytes(size: int | None) -> str:
    if not size:
        return _UNKNOWN
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"
