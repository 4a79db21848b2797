"""Weights of a PyTorch head into the Keras head of the same settings."""

import keras
import numpy as np


def transplant(head, model):
    """By the order of layers, which is the same; a Keras LSTM has one bias where PyTorch adds two."""
    state = {name: value.detach().numpy() for name, value in head.named_parameters()}
    dense = [name[: -len(".weight")] for name in state if name.startswith("scores") and name.endswith("weight")]
    numbers = iter(range(99))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Bidirectional):
            number = next(numbers)
            layer.set_weights(lstm(state, number, "") + lstm(state, number, "_reverse"))
        elif isinstance(layer, keras.layers.Conv1D):
            name = f"body.convolutions.{next(numbers)}"
            layer.set_weights([state[f"{name}.weight"].transpose(2, 1, 0), state[f"{name}.bias"]])
        elif isinstance(layer, keras.layers.MultiHeadAttention):
            transformer(state, model, next(numbers))
    if "body.project.weight" in state:
        denses = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
        put(denses[0], state, "body.project")
        norms = [layer for layer in model.layers if isinstance(layer, keras.layers.LayerNormalization)]
        norms[-1].set_weights([state["body.encoder.norm.weight"], state["body.encoder.norm.bias"]])
    denses = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    for layer, name in zip(denses[-len(dense) :], dense, strict=True):
        put(layer, state, name)


def put(layer, state, name):
    layer.set_weights([state[f"{name}.weight"].T, state[f"{name}.bias"]])


def lstm(state, number, suffix):
    part = {
        kind: state[f"body.lstm.{kind}_l{number}{suffix}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    return [part["weight_ih"].T, part["weight_hh"].T, part["bias_ih"] + part["bias_hh"]]


def transformer(state, model, number):
    name = f"body.encoder.layers.{number}"
    attention = [one for one in model.layers if isinstance(one, keras.layers.MultiHeadAttention)][number]
    heads = attention.num_heads
    weights = []
    for weight, bias in zip(
        np.split(state[f"{name}.self_attn.in_proj_weight"], 3),
        np.split(state[f"{name}.self_attn.in_proj_bias"], 3),
        strict=True,
    ):
        width = weight.shape[1]
        weights += [weight.T.reshape(width, heads, -1), bias.reshape(heads, -1)]
    out = state[f"{name}.self_attn.out_proj.weight"].T
    weights += [out.reshape(heads, -1, out.shape[1]), state[f"{name}.self_attn.out_proj.bias"]]
    attention.set_weights(weights)
    norms = [one for one in model.layers if isinstance(one, keras.layers.LayerNormalization)]
    for which in (1, 2):
        norms[2 * number + which - 1].set_weights(
            [state[f"{name}.norm{which}.weight"], state[f"{name}.norm{which}.bias"]]
        )
    denses = [one for one in model.layers if isinstance(one, keras.layers.Dense)]
    for which in (1, 2):
        put(denses[2 * number + which], state, f"{name}.linear{which}")
