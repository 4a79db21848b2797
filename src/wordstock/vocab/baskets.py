"""Baskets of items, such as orders or playlists, as sequences of keys."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Set

from wordstock.errors import InputError

__all__ = ["ItemKeys", "item_sequences"]


class ItemKeys:
    """The key of every item, made once per distinct item; two items never share one.

    Parameters
    ----------
    key : the name of an item.
    """

    def __init__(self, key: Callable[[Hashable], str] = str) -> None:
        self._key = key
        self._names: dict[tuple[type, Hashable], str] = {}
        self._owners: dict[str, Hashable] = {}

    def __call__(self, item: Hashable) -> str:
        """The key of ``item``.

        Raises
        ------
        InputError
            An item that cannot be hashed, a key that is not a str or is empty, or a key that another item has.
        """
        kind = type(item)  # 1, 1.0 and True are equal but have three names
        try:
            name = self._names.get((kind, item))
        except TypeError:
            raise InputError(f"an item must be hashable, not {kind.__name__}: {item!r:.80}") from None
        if name is not None:
            return name
        name = self._key(item)
        if not isinstance(name, str) or not name:
            raise InputError(f"the key of item {item!r:.80} is {name!r:.80}; it must be a str that is not empty")
        if name in self._owners:
            raise InputError(
                f"items {self._owners[name]!r:.80} and {item!r:.80} both have the key {name!r:.80}; "
                "give them different ones"
            )
        self._owners[name] = item
        self._names[kind, item] = name
        return name


def item_sequences(
    baskets: Iterable[Iterable[Hashable]], *, key: Callable[[Hashable], str] = str
) -> Iterator[list[str]]:
    """Each basket as a list of str keys, which ``build_shards`` and training take as a sentence.

    Where the order in a basket means nothing, train with a window as long as the longest basket. A set is sorted by
    key, so that the result does not depend on Python's hash seed.

    Parameters
    ----------
    baskets : items may be anything hashable: numbers, tuples, enums, str.
    key : the name of an item; called once per distinct item.

    Raises
    ------
    InputError
        A basket that is a str or no iterable, an item that cannot be hashed, a key that is not a str or is empty, or
        two different items with one key.
    """
    names = ItemKeys(key)
    for position, basket in enumerate(baskets):
        if isinstance(basket, str | bytes) or not isinstance(basket, Iterable):
            raise InputError(
                f"basket {position} (counted from 0) must be an iterable of items, not {type(basket).__name__}: "
                f"{basket!r:.80}"
            )
        found = list(map(names, basket))
        yield sorted(found) if isinstance(basket, Set) else found
