"""Claim: training and decoding by the CRF are faster than pytorch-crf's, with the same answers."""

import numpy as np
import torch
import torchcrf

from options import options
from pairs import HEAD, paired
from wordstock.tasks.torch.crf import LinearChainCRF

SIZES = [(32, 30, 5), (32, 30, 25), (128, 60, 25)]  # sentences, longest, tags: NCBI-disease, WNUT-17, a large batch
CALLS = 20


def run() -> str:
    torch.set_num_threads(1)
    lines = [HEAD]
    for sentences, longest, tags in SIZES:
        ours, peer = LinearChainCRF(tags), torchcrf.CRF(tags, batch_first=True)
        theirs = (peer.start_transitions, peer.transitions, peer.end_transitions)
        for parameter, other in zip(ours.parameters(), theirs, strict=True):
            parameter.data.copy_(other.data)
        emissions, gold, mask = batch(sentences, longest, tags)
        agree(ours, peer, emissions, gold, mask)

        def train_ours(ours=ours, emissions=emissions, gold=gold, mask=mask):
            for _ in range(CALLS):
                (-ours(emissions, gold, mask).sum()).backward()

        def train_peer(peer=peer, emissions=emissions, gold=gold, mask=mask):
            for _ in range(CALLS):
                (-peer(emissions, gold, mask=mask)).backward()

        def decode_ours(ours=ours, emissions=emissions, mask=mask):
            for _ in range(CALLS):
                ours.decode(emissions, mask)

        def decode_peer(peer=peer, emissions=emissions, mask=mask):
            for _ in range(CALLS):
                peer.decode(emissions, mask=mask)

        what = f"{sentences} sentences of up to {longest} words, {tags} tags, {CALLS} times"
        lines.append(paired(train_ours, train_peer).row(f"loss and gradient: {what}", "≥ 1×"))
        lines.append(paired(decode_ours, decode_peer).row(f"Viterbi: {what}", "≥ 1×"))
    return "\n".join(lines) + (
        "\n\nOne thread. The peer is pytorch-crf 0.7.2, which takes its gradient through the graph of the forward "
        "algorithm; likelihoods, gradients and best tags are checked to agree before anything is timed."
    )


def batch(sentences, longest, tags):
    """Random emissions, tags, and sentences from half the longest to the longest, as batches by length have them."""
    torch.manual_seed(0)
    emissions = torch.randn(sentences, longest, tags, requires_grad=True)
    lengths = torch.randint(longest // 2, longest + 1, (sentences,))
    lengths[0] = longest
    return emissions, torch.randint(0, tags, (sentences, longest)), torch.arange(longest)[None] < lengths[:, None]


def agree(ours, peer, emissions, gold, mask) -> None:
    one, other = ours(emissions, gold, mask), peer(emissions, gold, mask=mask, reduction="none")
    np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-4)
    gradients = [torch.autograd.grad(value.sum(), emissions)[0] for value in (one, other)]
    np.testing.assert_allclose(*gradients, atol=1e-4)
    best, _ = ours.decode(emissions, mask)
    found = [tags[:length].tolist() for tags, length in zip(best, mask.sum(1), strict=True)]
    assert found == peer.decode(emissions, mask=mask)


if __name__ == "__main__":
    options(__doc__)
    print(run())
