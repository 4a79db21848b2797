"""The CRF against the sum and the best over all tag sequences, written out, and against pytorch-crf."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from wordstock.tasks.tagging.schemes import first_fault
from wordstock.tasks.tagging.tagset import TagSet
from wordstock.tasks.torch.crf import IMPOSSIBLE, Allowed, LinearChainCRF


def made(size, lengths, seed=0, allowed=None, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    crf = LinearChainCRF(size, allowed).double()
    for parameter in crf.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    emissions = scale * torch.randn(len(lengths), max(lengths), size, generator=generator, dtype=torch.float64)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return crf, emissions.requires_grad_(), mask


def all_paths(crf, emissions, length):
    """Every tag sequence of one sentence with its score."""
    start, transitions, end = crf.scores()
    for path in product(range(crf.size), repeat=length):
        score = start[path[0]] + end[path[-1]] + sum(emissions[at, tag] for at, tag in enumerate(path))
        yield path, score + sum(transitions[a, b] for a, b in pairwise(path))


LENGTHS = [4, 1, 3, 2]


def test_all_answers_are_those_of_enumeration():
    crf, emissions, mask = made(3, LENGTHS)
    totals = crf.log_partition(emissions, mask)
    shares = crf.marginals(emissions, mask)
    best, scores = crf.decode(emissions, mask)
    for row, length in enumerate(LENGTHS):
        paths = [(path, score.item()) for path, score in all_paths(crf, emissions[row], length)]
        values = np.array([score for _, score in paths])
        assert totals[row].item() == pytest.approx(np.logaddexp.reduce(values))
        weights = np.exp(values - np.logaddexp.reduce(values))
        for at, tag in product(range(length), range(3)):
            expected = sum(weight for (path, _), weight in zip(paths, weights, strict=True) if path[at] == tag)
            assert shares[row, at, tag].item() == pytest.approx(expected)
        path, score = max(paths, key=lambda one: one[1])
        assert best[row, :length].tolist() == list(path)
        assert scores[row].item() == pytest.approx(score)
        tags = torch.full((1, mask.shape[1]), 99)
        tags[0, :length] = torch.tensor(paths[5 % len(paths)][0])
        found = crf(emissions[row : row + 1], tags, mask[row : row + 1])
        assert found.item() == pytest.approx(paths[5 % len(paths)][1] - totals[row].item())
    assert (shares[~mask] == 0).all()
    assert (best[~mask] == 0).all()


def test_gradients_are_those_of_finite_differences():
    crf, emissions, mask = made(3, LENGTHS)

    def total(given, start, transitions, end):
        return torch.func.functional_call(
            crf, {"start": start, "transitions": transitions, "end": end}, (given, torch.zeros(4, 4).long(), mask)
        )

    parts = tuple(one.detach().requires_grad_() for one in (crf.start, crf.transitions, crf.end))
    assert torch.autograd.gradcheck(total, (emissions, *parts))


def test_a_batch_gives_each_sentence_what_it_gets_alone_whatever_stands_in_the_padding():
    crf, emissions, mask = made(4, [6, 2, 5])
    noisy = torch.where(mask[:, :, None], emissions, 1e6)
    for row, length in enumerate([6, 2, 5]):
        alone, one = emissions[row : row + 1, :length], mask[row : row + 1, :length]
        assert crf.log_partition(noisy, mask)[row].item() == pytest.approx(crf.log_partition(alone, one).item())
        assert crf.decode(noisy, mask)[0][row, :length].tolist() == crf.decode(alone, one)[0][0].tolist()
        np.testing.assert_allclose(
            crf.marginals(noisy, mask)[row, :length].detach(), crf.marginals(alone, one)[0].detach()
        )


def test_what_the_scheme_forbids_has_no_share_and_is_never_decoded():
    tagset = TagSet("iob2", ("LOC", "PER"))
    allowed = Allowed(*(torch.from_numpy(one) for one in tagset.allowed()))
    crf, emissions, mask = made(len(tagset.names), [3, 2, 1], allowed=allowed, scale=5.0)
    valid = {
        length: [
            path
            for path in product(range(9), repeat=length)
            if first_fault([tagset.names[one] for one in path], "bioes") is None
        ]
        for length in (1, 2, 3)
    }
    best, _ = crf.decode(emissions, mask)
    for row, length in enumerate([3, 2, 1]):
        scores = {path: score.item() for path, score in all_paths(crf, emissions[row], length)}
        assert {path for path, score in scores.items() if score > IMPOSSIBLE / 2} == set(valid[length])
        expected = np.logaddexp.reduce([scores[path] for path in valid[length]])
        assert crf.log_partition(emissions, mask)[row].item() == pytest.approx(expected)
        assert tuple(best[row, :length].tolist()) == max(valid[length], key=scores.__getitem__)
    loss = -crf(emissions, torch.zeros_like(mask, dtype=torch.long), mask).sum()
    loss.backward()
    assert (crf.transitions.grad[~allowed.transitions] == 0).all()
    assert (crf.start.grad[~allowed.start] == 0).all()


@pytest.mark.parametrize("scale", [0.0, 1e3, 1e6])
def test_huge_and_equal_scores_stay_finite(scale):
    allowed = Allowed(*(torch.from_numpy(one) for one in TagSet("iob2", ("X",)).allowed()))
    crf, emissions, mask = made(5, [30, 3], allowed=allowed, scale=scale)
    emissions = emissions.detach().float().requires_grad_()
    crf = crf.float()
    loss = -crf(emissions, torch.zeros_like(mask, dtype=torch.long), mask).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(one.grad).all() for one in (emissions, *crf.parameters()))
    assert torch.isfinite(crf.marginals(emissions, mask)).all()


def test_answers_and_gradients_are_those_of_pytorch_crf():
    torchcrf = pytest.importorskip("torchcrf")
    crf, emissions, mask = made(7, [9, 1, 5, 9, 2])
    peer = torchcrf.CRF(7, batch_first=True).double()
    for ours, theirs in zip(
        crf.parameters(), (peer.start_transitions, peer.transitions, peer.end_transitions), strict=True
    ):
        theirs.data.copy_(ours.data)
    tags = torch.randint(0, 7, mask.shape, generator=torch.Generator().manual_seed(1))
    likelihood, expected = crf(emissions, tags, mask), peer(emissions, tags, mask=mask, reduction="none")
    torch.testing.assert_close(likelihood, expected)
    weights = torch.arange(1.0, 6.0, dtype=torch.float64)
    ours = torch.autograd.grad((likelihood * weights).sum(), (emissions, *crf.parameters()))
    theirs = torch.autograd.grad(
        (expected * weights).sum(), (emissions, peer.start_transitions, peer.transitions, peer.end_transitions)
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)
    best, _ = crf.decode(emissions, mask)
    assert [one[:n].tolist() for one, n in zip(best, mask.sum(1), strict=True)] == peer.decode(emissions, mask=mask)
