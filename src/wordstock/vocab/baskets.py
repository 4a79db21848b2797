"""Baskets of items, such as orders or playlists, as sequences of keys."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Set

from wordstock.errors import InputError

__all__ = ["item_sequences"]


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
    names: dict[tuple[type, Hashable], str] = {}
    owners: dict[str, Hashable] = {}
    for position, basket in enumerate(baskets):
        if isinstance(basket, str | bytes) or not isinstance(basket, Iterable):
            raise InputError(
                f"basket {position} (counted from 0) must be an iterable of items, not {type(basket).__name__}: "
                f"{basket!r:.80}"
            )
        found = []
        for item in basket:
            try:
                name = names.get((type(item), item))
            except TypeError:
                raise InputError(f"basket {position} holds an item that cannot be hashed: {item!r:.80}") from None
            if name is None:
                name = names[type(item), item] = _named(item, key, owners)
            found.append(name)
        yield sorted(found) if isinstance(basket, Set) else found


def _named(item: Hashable, key: Callable[[Hashable], str], owners: dict[str, Hashable]) -> str:
    name = key(item)
    if not isinstance(name, str) or not name:
        raise InputError(f"the key of item {item!r:.80} is {name!r:.80}; it must be a str that is not empty")
    if name in owners:
        raise InputError(
            f"items {owners[name]!r:.80} and {item!r:.80} both have the key {name!r:.80}; give another `key` function"
        )
    owners[name] = item
    return name
