"""Prompts of model families whose folders do not state them; GTE and BGE-M3 have none.

E5: Wang et al. 2022, "Text Embeddings by Weakly-Supervised Contrastive Pre-training"; every text wants one of the two.
BGE: Xiao et al. 2023, "C-Pack"; only queries of a search want one.
"""

from __future__ import annotations

import re

from wordstock.errors import InputError

__all__ = ["KNOWN_PROMPTS", "known_prompts", "prompts_of_repository"]

KNOWN_PROMPTS: dict[str, dict[str, str]] = {
    "e5": {"query": "query: ", "passage": "passage: "},
    "bge-en": {"query": "Represent this sentence for searching relevant passages: ", "passage": ""},
    "bge-zh": {"query": "为这个句子生成表示以用于检索相关文章：", "passage": ""},
}
# The repositories of the families' authors on the Hugging Face hub.
_REPOSITORIES = {
    r"intfloat/(multilingual-)?e5-(small|base|large)(-v2)?": "e5",
    r"BAAI/bge-(small|base|large)-en(-v1\.5)?": "bge-en",
    r"BAAI/bge-(small|base|large)-zh(-v1\.5)?": "bge-zh",
}


def known_prompts(family: str) -> dict[str, str]:
    """The prompts of a family, by name.

    Raises
    ------
    InputError
        Another family; lists those that are known.
    """
    if family not in KNOWN_PROMPTS:
        known = ", ".join(map(repr, KNOWN_PROMPTS))
        raise InputError(f"prompts={family!r:.80}: known families are {known}; or give a dict of texts by name")
    return dict(KNOWN_PROMPTS[family])


def prompts_of_repository(source: str) -> dict[str, str]:
    """The prompts of ``hf:org/name``, with or without ``@revision``; empty if it is none of the known ones."""
    repository = source.removeprefix("hf:").partition("@")[0]
    for pattern, family in _REPOSITORIES.items():
        if source.startswith("hf:") and re.fullmatch(pattern, repository):
            return known_prompts(family)
    return {}
