"""Where a token comes from, and how it is kept out of everything that is printed."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from wordstock._paths import user_path
from wordstock.errors import InputError

__all__ = ["Secret", "find_token", "redacted"]

TOKEN = "WORDSTOCK_MILVUS_TOKEN"
TOKEN_FILE = "WORDSTOCK_MILVUS_TOKEN_FILE"


class Secret:
    """A text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def hidden_in(self, message: str) -> str:
        """``message`` with the secret and its parts blotted out."""
        parts = {self._text, *self._text.split(":", 1)[1:]} - {""}
        for part in sorted(parts, key=len, reverse=True):
            message = message.replace(part, "***")
        return message


def find_token(given: str | Secret | None = None, token_file: Path | str | None = None) -> Secret:
    """The token given, else that of a file, else of WORDSTOCK_MILVUS_TOKEN or WORDSTOCK_MILVUS_TOKEN_FILE, else none.

    Raises
    ------
    InputError
        A file that cannot be read or is empty.
    """
    if isinstance(given, Secret):
        return given
    if given is not None:
        return Secret(given)
    if token_file is None:
        if token := os.environ.get(TOKEN, "").strip():
            return Secret(token)
        token_file = os.environ.get(TOKEN_FILE) or None
        if token_file is None:
            return Secret()
    try:
        token = user_path(token_file, "token_file").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"the file with the token, {token_file}, cannot be read: {why}") from None
    if not token:
        raise InputError(f"the file with the token, {token_file}, is empty")
    return Secret(token)


def redacted(uri: str) -> str:
    """A URI without the user and password that may stand in it."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))
