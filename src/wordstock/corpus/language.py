"""Keep the documents of one language: the one they declare, or what a callable says of their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from wordstock.errors import InputError

__all__ = ["LanguageFilter"]

# ISO 639-2/3 codes, which Common Crawl uses, of languages that also have a code of two letters.
_TABLE = (
    "afr:af amh:am ara:ar asm:as aze:az bak:ba bel:be ben:bn bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cos:co "
    "cym:cy dan:da deu:de div:dv ell:el eng:en epo:eo est:et eus:eu fao:fo fas:fa fin:fi fra:fr fry:fy gla:gd "
    "gle:ga glg:gl grn:gn guj:gu hat:ht hau:ha heb:he hin:hi hrv:hr hun:hu hye:hy ibo:ig ina:ia ind:id isl:is "
    "ita:it jav:jv jpn:ja kal:kl kan:kn kat:ka kaz:kk khm:km kin:rw kir:ky kor:ko kur:ku lao:lo lat:la lav:lv "
    "lin:ln lit:lt ltz:lb lug:lg mal:ml mar:mr mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nep:ne nld:nl "
    "nor:no nno:nn nob:nb nya:ny oci:oc ori:or orm:om pan:pa pol:pl por:pt pus:ps que:qu roh:rm ron:ro run:rn "
    "rus:ru san:sa sin:si slk:sk slv:sl sna:sn snd:sd som:so sot:st spa:es sqi:sq srp:sr sun:su swa:sw swe:sv "
    "tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tir:ti tsn:tn tuk:tk tur:tr uig:ug ukr:uk urd:ur uzb:uz vie:vi "
    "vol:vo wol:wo xho:xh yid:yi yor:yo zho:zh zul:zu "
)
_BATCH = 4096  # texts that a filter is asked about at once
_CHARACTERS = 1 << 22  # and characters
_CODES = dict(pair.split(":") for pair in _TABLE.split())


class LanguageFilter:
    """Why a document is left out, or "" if it is kept.

    Parameters
    ----------
    language : a code such as "en", "eng" or "en-GB", compared with the first language that a document declares; a
        callable that gets the text and says whether to keep it; None keeps all. A callable that has a method ``many``,
        as the filters of ``wordstock.formats.read_fasttext_classifier`` have, is asked about many texts at once.

    Raises
    ------
    InputError
        A code that is empty or no code.
    """

    def __init__(self, language: str | Callable[[str], object] | None) -> None:
        self.code: str | None = None
        self._keep: Callable[[str], object] | None = None
        if isinstance(language, str):
            self.code = _short(language)
            if not self.code.isalpha():
                raise InputError(f"language={language!r}: give a code such as 'en' or 'eng', or a callable")
        else:
            self._keep = language
        self.given = language is not None

    def __call__(self, text: str, declared: str | None) -> str:
        """Reason to leave out ``text``, which declares this language; None if it declares none."""
        if self._keep is not None:
            return "" if self._keep(text) else "language"
        if self.code is None:
            return ""
        if not declared:
            return "language not stated"
        return "" if _short(declared) == self.code else "language"

    def batches(self, texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """(text, whether to keep it) for each of ``texts``, none of which declares a language."""
        many = getattr(self._keep, "many", None)
        if many is None:
            for text in texts:
                yield text, not self(text, None)
            return
        batch: list[str] = []
        size = 0
        for text in texts:
            batch.append(text)
            size += len(text)
            if len(batch) == _BATCH or size >= _CHARACTERS:
                yield from zip(batch, many(batch), strict=True)
                batch, size = [], 0
        if batch:
            yield from zip(batch, many(batch), strict=True)


def _short(code: str) -> str:
    """The first of several codes, without region, of two letters where there is one."""
    code = code.split(",")[0].strip().lower().replace("_", "-").split("-")[0]
    return _CODES.get(code, code)
