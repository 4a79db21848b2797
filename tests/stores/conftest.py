"""Places that a store can be in: memory, Milvus Lite, and the server that tests/stores/serve.py has started."""

import os
import uuid

import pytest

from wordstock.stores.opening import open_store

ADDRESS = os.environ.get("WORDSTOCK_TEST_MILVUS")  # set by serve.py, inside a network namespace of its own
PLACES = ["server"] if ADDRESS else ["memory", "lite"]


@pytest.fixture(scope="module", params=PLACES)
def place(request):
    return request.param


@pytest.fixture(scope="module")
def spot(place, tmp_path_factory):
    """Gives the location and collection of a name; a name given again stands for the same store."""
    folder = tmp_path_factory.mktemp("stores")
    names = {}

    def named(name):
        collection = names.setdefault(name, f"t_{name}_{uuid.uuid4().hex[:6]}")
        if place == "memory":
            return {"location": folder / f"{name}.safetensors"}
        return {"location": folder / "lite.db" if place == "lite" else ADDRESS, "collection": collection}

    return named


@pytest.fixture(scope="module")
def opener(spot):
    """Opens stores at a place; a name given again opens the same store."""
    opened = []

    def opening(name=None, **settings):
        opened.append(open_store(**spot(name or uuid.uuid4().hex[:8]), **settings))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()
