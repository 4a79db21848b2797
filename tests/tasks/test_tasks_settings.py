import numpy as np
import pytest

from wordstock.errors import InputError
from wordstock.tasks import TextClassifier


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"C": 0}, "C=0"),
        ({"C": float("inf")}, "C=inf"),
        ({"C": "1"}, "C='1'"),
        ({"cv": 1}, "cv=1"),
        ({"cv": 2.5}, "cv=2.5"),
        ({"cv": None}, "cv=None"),
        ({"seed": -1}, "seed=-1"),
        ({"lexical": "yes"}, "lexical='yes': needs True or False"),
        ({"class_weight": "heavy"}, "class_weight='heavy'"),
        ({"class_weight": {"nowhere": 1.0}}, "unknown label 'nowhere'"),
        ({"class_weight": {"money": -1.0}}, "positive number"),
        ({"class_weight": 3}, "class_weight=3"),
    ],
)
def test_settings_out_of_range(table, train, settings, message):
    with pytest.raises(InputError, match=message):
        TextClassifier(table, **settings).fit(*train)


@pytest.mark.parametrize("weights", [[1.0, 2.0], [0.0] * 4, [1, 1, 1, -1], [1, 1, 1, float("nan")], "abcd", 3])
def test_weights_of_a_score(table, train, weights):
    model = TextClassifier(table, C=5).fit(*train)
    texts, labels = train[0][:4], train[1][:4]
    assert model.score(texts, labels, sample_weight=np.ones(4)) == model.score(texts, labels)
    with pytest.raises(InputError, match=r"sample_weight=.*for each of the 4 texts"):
        model.score(texts, labels, sample_weight=weights)
