"""Where the published evaluation sets are: they are not part of this project."""

import os
from pathlib import Path


def sets_folder() -> Path:
    """The folder ``intrinsic-en`` with ``questions-words.txt`` and ``wordsim/*.txt``."""
    data = os.environ.get("WORDSTOCK_DATA")
    path = Path(data or "") / "intrinsic-en"
    if not data or not path.is_dir():
        raise SystemExit(
            "set WORDSTOCK_DATA to a folder that holds intrinsic-en/questions-words.txt (Google's analogies) and "
            "intrinsic-en/wordsim/*.txt (word pairs: word1, word2, score, separated by tabs)"
        )
    return path
