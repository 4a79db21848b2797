"""A linear-chain conditional random field (Lafferty et al. 2001) over a batch of padded sentences.

One loop over the positions serves the whole batch in both directions at once: the backward recursion is the forward one
on reversed sentences with transposed transitions. The gradient of the log-partition is the marginals, which the same
pass gives, so that no graph of the recursion is built.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["IMPOSSIBLE", "Allowed", "LinearChainCRF"]

IMPOSSIBLE = -1e4  # the score of what the scheme forbids: finite, so that no difference of two is NaN, and exp gives 0
_TINY = 1e-300  # keeps the logarithm of a sum that underflowed finite
_LARGEST = 700.0  # exp of more overflows


class Allowed(NamedTuple):
    """What a tag scheme allows: bool tensors (k,), (k, k) from row to column, and (k,)."""

    start: Tensor
    transitions: Tensor
    end: Tensor


class LinearChainCRF(nn.Module):
    """Scores of first tags, of pairs of neighbours and of last tags, added to emissions that come from elsewhere.

    Emissions are float (b, t, k), ``mask`` is bool (b, t), True on the words: a run from the left, of at least one.

    Parameters
    ----------
    size : k, the number of tags.
    allowed : what never is: those scores are ``IMPOSSIBLE`` and are not trained. None allows everything.
    """

    def __init__(self, size: int, allowed: Allowed | None = None) -> None:
        super().__init__()
        self.size = size
        self.start = nn.Parameter(torch.zeros(size))
        self.transitions = nn.Parameter(torch.zeros(size, size))
        self.end = nn.Parameter(torch.zeros(size))
        for name in Allowed._fields:
            shape = (size, size) if name == "transitions" else (size,)
            given = torch.ones(shape, dtype=torch.bool) if allowed is None else getattr(allowed, name)
            self.register_buffer(f"allowed_{name}", given, persistent=False)

    def scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Start (k,), transitions (k, k) and end (k,), with ``IMPOSSIBLE`` where the scheme forbids."""
        parts = (
            torch.where(getattr(self, f"allowed_{name}"), getattr(self, name), IMPOSSIBLE) for name in Allowed._fields
        )
        start, transitions, end = parts
        return start, transitions, end

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Log-likelihood (b,) of tags, int64 (b, t); what stands at masked places does not matter."""
        start, transitions, end = self.scores()
        tags = tags.masked_fill(~mask, 0)
        last = mask.sum(1, keepdim=True) - 1
        own = emissions.gather(2, tags[:, :, None])[:, :, 0] * mask
        pairs = transitions[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
        gold = own.sum(1) + pairs.sum(1) + start[tags[:, 0]] + end[tags.gather(1, last)[:, 0]]
        return gold - self.log_partition(emissions, mask)

    def log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """The logarithm of the sum over all tag sequences, (b,); its gradient is the marginals."""
        return _LogPartition.apply(emissions, *self.scores(), mask)  # type: ignore[no-any-return]

    @torch.no_grad()
    def marginals(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """Probability of each tag at each word, (b, t, k); zero at masked places."""
        return _scan(emissions, *self.scores(), mask).unary(mask).to(emissions.dtype)

    @torch.no_grad()
    def decode(self, emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The best tags, int64 (b, t) with 0 at masked places, and their scores (b,) (Viterbi 1967)."""
        start, transitions, end = self.scores()
        score = start + emissions[:, 0]
        steps: list[Tensor] = []
        held = torch.arange(self.size, device=emissions.device)[None]
        for at in range(1, emissions.shape[1]):
            best, origin = (score[:, :, None] + transitions).max(1)
            inside = mask[:, at, None]
            score = torch.where(inside, best + emissions[:, at], score)
            steps.append(torch.where(inside, origin, held))  # past a sentence's end its last tag stays where it is
        total, tag = (score + end).max(1)
        path = [tag]
        for origin in reversed(steps):
            tag = origin.gather(1, tag[:, None])[:, 0]
            path.append(tag)
        return torch.stack(path[::-1], 1) * mask, total


class _Scan(NamedTuple):
    """What the two recursions give, float64.

    Parameters
    ----------
    forward, backward : (b, t, k), each with the word's own emission in it.
    emissions : (b, t, k).
    total : (b,), the log-partition.
    transitions : (k, k).
    """

    forward: Tensor
    backward: Tensor
    emissions: Tensor
    total: Tensor
    transitions: Tensor

    def unary(self, mask: Tensor) -> Tensor:
        logs = self.forward + self.backward - self.emissions - self.total[:, None, None]
        return logs.exp().masked_fill(~mask[:, :, None], 0)

    def pairs(self, mask: Tensor, weights: Tensor) -> Tensor:
        """Expected number of each pair of neighbours, (k, k), each sentence weighted."""
        inside = mask[:, 1:]
        before = self.forward[:, :-1][inside]
        after = self.backward[:, 1:][inside]
        totals = self.total[:, None].expand_as(inside)[inside]
        each = weights[:, None].expand_as(inside)[inside]
        # exp(before + transitions + after - total), with the middle taken out of the sum over words
        tops = before.amax(1), after.amax(1)
        each = each * (tops[0] + tops[1] - totals).clamp(max=_LARGEST).exp()
        left = (before - tops[0][:, None]).exp() * each[:, None]
        return (left.T @ (after - tops[1][:, None]).exp()) * self.transitions.exp()


def _scan(emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor, mask: Tensor) -> _Scan:
    own, start, transitions, end = (part.double() for part in (emissions, start, transitions, end))
    lengths = mask.sum(1)
    # Position p of the reversed sentence is position length - 1 - p; past the end any place will do.
    places = (lengths[:, None] - 1 - torch.arange(own.shape[1], device=own.device)).clamp(min=0)
    places = places[:, :, None].expand_as(own)
    both = torch.stack([own, own.gather(1, places)])  # (2, b, t, k)
    factor = torch.stack([transitions.exp(), transitions.T.exp()])  # (2, k, k)
    state = both[:, :, 0] + torch.stack([start, end])[:, None]
    states = [state]
    for at in range(1, own.shape[1]):
        top = state.amax(2, keepdim=True)
        state = ((state - top).exp() @ factor).clamp_(min=_TINY).log_().add_(top).add_(both[:, :, at])
        states.append(state)
    found = torch.stack(states, 2)
    forward, backward = found[0], found[1].gather(1, places)
    total = (forward.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, own.shape[2]))[:, 0] + end).logsumexp(1)
    return _Scan(forward, backward, own, total, transitions)


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, emissions: Tensor, start: Tensor, transitions: Tensor, end: Tensor, mask: Tensor) -> Tensor:
        scan = _scan(emissions, start, transitions, end, mask)
        ctx.save_for_backward(*scan, mask)
        ctx.kinds = emissions.dtype, start.dtype
        return scan.total.to(emissions.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        *parts, mask = ctx.saved_tensors
        scan, weights = _Scan(*parts), gradient.double()
        own = scan.unary(mask) * weights[:, None, None]
        last = (mask.sum(1) - 1)[:, None, None].expand(-1, 1, own.shape[2])
        kind, of_scores = ctx.kinds
        return (
            own.to(kind),
            own[:, 0].sum(0).to(of_scores),
            scan.pairs(mask, weights).to(of_scores),
            own.gather(1, last).sum((0, 1)).to(of_scores),
            None,
        )
