"""gzip, bzip2, xz and Zstandard: several members, damage, bombs, and a missing library."""

import bz2
import gzip
import lzma
import subprocess
import sys
import tracemalloc

import pytest
import zstandard

from wordstock import formats
from wordstock.errors import FormatError, MissingExtraError
from wordstock.formats import read, read_word2vec_text, write, write_glove, write_word2vec_binary, write_word2vec_text
from wordstock.formats.window import Window

PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
    "stream.zst": None,
}
TEXT = b"200 3\n" + b"".join(b"word%d %d.25 -%d.5 0.125\n" % (i, i, i) for i in range(200))


def pack(kind, data):
    if kind == "stream.zst":  # frames that do not state their content's size
        packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
        return packer.compress(data) + packer.flush()
    return PACK[kind](data)


@pytest.mark.parametrize("kind", PACK)
def test_members_follow_each_other_and_the_name_does_not_matter(file, kind, small_blocks):
    parts = [TEXT[:1000], b"", TEXT[1000:1001], TEXT[1001:]]
    path = file(b"".join(pack(kind, part) for part in parts), "plain.txt")
    emb = read(path)
    assert (len(emb), emb["word7"].tolist()) == (200, [7.25, -7.5, 0.125])
    assert len(read(path, limit=3)) == 3


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("keep", [0.2, 0.7, 0.99])
def test_a_file_cut_short(file, kind, keep):
    data = pack(kind, TEXT)
    with pytest.raises(FormatError, match=r"the file is cut short|damage") as caught:
        read_word2vec_text(file(data[: int(len(data) * keep)]))
    assert caught.value.offset is not None


@pytest.mark.parametrize("kind", PACK)
def test_garbage_after_the_data_and_inside_it(file, kind, small_blocks):
    data = pack(kind, TEXT)
    with pytest.raises(FormatError):
        read(file(data + b"garbage"), limit=None)
    half = len(data) // 2
    with pytest.raises(FormatError):
        read(file(data[:half] + b"\xff" * 20 + data[half + 20 :]))


def test_gzip_may_be_padded_with_zeros(file):
    assert len(read(file(gzip.compress(TEXT) + b"\0" * 1000))) == 200


def test_progress_counts_bytes_of_the_file_on_disk(file, small_blocks):
    path = file(gzip.compress(TEXT))
    seen = []
    read(path, progress=lambda *now: seen.append(now))
    assert seen[-1] == (path.stat().st_size,) * 2


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_does_not_fill_the_memory(file, kind):
    path = file(pack(kind, b"999999999999 300\n" + b"0" * 50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 45_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("rows", [10**12, 10**30])
def test_a_header_that_promises_too_much(file, kind, rows, small_blocks):
    path = file(pack(kind, b"%d 3\n" % rows + TEXT.split(b"\n", 1)[1]))
    with pytest.raises(FormatError, match="as the header says, found 200 rows"):
        read(path)
    assert len(read(path, limit=150)) == 150


def test_zstandard_missing(file, monkeypatch):
    path = file(pack(".zst", TEXT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"wordstock\[formats\]"):
        read(path)


def test_a_native_file_is_opened_without_the_heavy_libraries(table, tmp_path):
    table.save(tmp_path / "n.safetensors")
    code = (
        "import sys; from wordstock.formats import read; read(sys.argv[1])\n"
        "print([name for name in ('zstandard', 'polars', 'numba') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "n.safetensors")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_window_gives_the_stream_whatever_its_size(file):
    for kind in PACK:
        for block in (1, 7, 300, 1 << 20):
            with Window(file(pack(kind, TEXT)), block=block) as window:
                got = b""
                while True:
                    got += window.take(window.stop - window.start)
                    if window.at_end:
                        break
                    window.fill()
            assert got == TEXT


@pytest.mark.parametrize("one", [formats, write, write_word2vec_text, write_word2vec_binary, write_glove])
def test_every_suffix_is_documented(one):
    assert all(suffix in one.__doc__ for suffix in PACK if suffix != "stream.zst")
