"""Numbers of things as messages tell them."""

from __future__ import annotations

from wordstock._wording import counted


def test_one_and_several():
    assert counted(1, "epoch") == "1 epoch"
    assert counted(0, "epoch") == "0 epochs"
    assert counted(2000, "class") == "2,000 classes"
