"""Claim: a Wikipedia dump becomes text at least 2 times as fast as gensim's own reader makes it; two cores beat one.

The dump is synthetic: its wiki markup is generated here from the sentences of the Lee corpus that gensim carries, with
links, templates, tables, references and files as dense as in the English Wikipedia. ``--quick`` makes a smaller one.
"""

import bz2
import gc
import random
import re
from pathlib import Path
from xml.sax.saxutils import escape

import gensim
from gensim.corpora.wikicorpus import extract_pages, filter_wiki

from options import options
from pairs import HEAD, paired
from peer import folder
from wordstock.corpus import ReadReport, read_texts

SITE = (
    "<mediawiki xmlns='http://www.mediawiki.org/xml/export-0.10/'><siteinfo><namespaces>"
    "<namespace key='6'>File</namespace></namespaces></siteinfo>\n"
)


def run(*, quick: bool = False) -> str:
    """From the file to a list of plain texts; single stream and multistream."""
    pages = synthetic_pages(300 if quick else 3000)
    whole = SITE + "".join(pages) + "</mediawiki>"
    groups = [SITE, *("".join(pages[i : i + 100]) for i in range(0, len(pages), 100)), "</mediawiki>"]
    rows, notes = [], []
    cores = ["| worker processes | two | none | ratio (range over pairs) | goal |", "|-|-|-|-|-|"]
    for name, parts in (("one stream", [whole]), ("multistream", groups)):
        path = folder() / f"{name}.xml.bz2"
        path.write_bytes(b"".join(bz2.compress(part.encode()) for part in parts))
        report = ReadReport()
        assert sum(1 for _ in read_texts(path, unit="document", report=report)) == len(pages)
        assert not report.damaged
        pair = paired(lambda path=path: ours(path), lambda path=path: theirs(path), pairs=2 if quick else 3, warm=False)
        megabytes = len(whole.encode()) / 1e6
        rows.append(pair.row(f"{len(pages):,} synthetic articles, {megabytes:.0f} MB of XML, {name}", "≥ 2×"))
        notes.append(
            f"{name}: {megabytes / pair.ours:.1f} against {megabytes / pair.peer:.1f} MB/s of XML, "
            f"{len(pages) / pair.ours:,.0f} against {len(pages) / pair.peer:,.0f} articles/s"
        )
        two, none = (lambda n=n, path=path: list(read_texts(path, unit="document", workers=n)) for n in (2, 0))
        cores.append(paired(two, none, pairs=2 if quick else 3, warm=False).row(name, ""))
        gc.collect()
    told = "The dump is synthetic. " + "; ".join(notes) + "."
    return "\n".join([HEAD, *rows, "", told, "", *cores])


def ours(path: Path) -> list[str]:
    return list(read_texts(path, unit="document"))


def theirs(path: Path) -> list[str]:
    """The parser and markup filter of gensim, in one process; its WikiCorpus adds tokens, which is not compared."""
    with bz2.open(path) as stream:
        return [filter_wiki(text) for _, text, _ in extract_pages(stream)]


def synthetic_pages(count: int) -> list[str]:
    """Articles of some 12 kB of markup each."""
    corpus = Path(gensim.__file__).parent / "test/test_data/lee_background.cor"
    found = re.split(r"(?<=[.!?])\s+", corpus.read_text(encoding="utf-8").replace("\n", " "))
    sentences = [sentence for sentence in found if len(sentence) > 20]
    draw = random.Random(0)
    return [page(number, sentences, draw) for number in range(count)]


def page(number: int, sentences: list[str], draw: random.Random) -> str:
    body = ["{{Infobox thing\n| name = Thing " + str(number) + "\n| date = {{start date|2001|1|1}}\n}}"]
    for section in range(draw.randint(3, 9)):
        body.append(f"== Section {section} ==")
        body.append("[[File:Thing.jpg|thumb|left|A [[picture]] of ''it''.]]")
        body += [paragraph(sentences, draw) for _ in range(draw.randint(2, 5))]
        body.append('{| class="wikitable"\n|-\n! a !! b\n|-\n| 1 || [[two]]\n|}\n* [[Item]] one\n* item two')
    body.append("{{reflist}}\n[[Category:Things]]")
    text = escape("\n\n".join(body))
    return (
        f"<page><title>Thing {number}</title><ns>0</ns><id>{number}</id><revision><id>1</id>"
        f"<model>wikitext</model><text>{text}</text></revision></page>\n"
    )


def paragraph(sentences: list[str], draw: random.Random) -> str:
    marked = []
    for sentence in draw.choices(sentences, k=4):
        words = sentence.split()
        at = draw.randrange(len(words))
        words[at] = f"[[{words[at].title()} (thing)|{words[at]}]]"
        marked.append(" ".join(words) + '<ref name="r">{{cite web |url=http://x.org |title=A title |year=2001}}</ref>')
    return " ".join(marked)


if __name__ == "__main__":
    print(run(quick=bool(options(__doc__, "quick"))))
