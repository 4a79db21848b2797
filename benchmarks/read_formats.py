"""Claim: GloVe text is read at least 8 times and word2vec binary at least 4 times as fast as gensim reads them."""

from gensim.models import KeyedVectors

from options import options
from pairs import HEAD, paired
from peer import folder, gensim_glove
from wordstock.formats import read


def run() -> str:
    """Both readers on files that gensim wrote, 400,000 × 50, the file in the page cache for both."""
    peer = gensim_glove()
    text, binary = folder() / "glove.txt", folder() / "glove.bin"
    peer.save_word2vec_format(text, write_header=False)
    peer.save_word2vec_format(binary, binary=True)
    glove = paired(
        lambda: read(text), lambda: KeyedVectors.load_word2vec_format(text, no_header=True), pairs=3, warm=False
    )
    word2vec = paired(lambda: read(binary), lambda: KeyedVectors.load_word2vec_format(binary, binary=True))
    rows = [glove.row("read GloVe text", "≥ 8×"), word2vec.row("read word2vec binary", "≥ 4×")]
    return "\n".join([HEAD, *rows])


if __name__ == "__main__":
    options(__doc__)
    print(run())
