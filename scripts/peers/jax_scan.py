"""A JAX training loop of one workload, jit-compiled, many updates in one `lax.scan`: compare-peers.py times it.

    python jax_scan.py WORKLOAD-AS-JSON UPDATES
"""
import json
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy

work, updates = json.loads(sys.argv[1]), int(sys.argv[2])
rows, batch, depth = work["rows"], work["batch"], len(work["hidden"]) + 1
random = numpy.random.default_rng(0)
recurrent, norm, drop, clip = "steps" in work, work.get("batch_norm"), work.get("dropout"), work.get("clip")


def layer(inputs, outputs):
    bound = inputs**-0.5
    return {"w": random.uniform(-bound, bound, (inputs, outputs)).astype("f4"), "b": numpy.zeros(outputs, "f4")}


if recurrent:
    hidden = work["hidden"][0]
    params = {"in": layer(work["inputs"], hidden), "h": layer(hidden, hidden), "out": layer(hidden, work["outputs"])}
    x = random.random((rows, work["steps"], work["inputs"]), dtype="f4")
else:
    widths = [work["inputs"], *work["hidden"], work["outputs"]]
    params = {"layers": [layer(a, b) for a, b in zip(widths, widths[1:])]}
    if norm:
        params["norms"] = [{"g": numpy.ones(w, "f4"), "b": numpy.zeros(w, "f4")} for w in work["hidden"]]
    x = random.random((rows, work["inputs"]), dtype="f4")
values = work["outputs"] == 1
y = random.standard_normal((rows, 1)).astype("f4") if values else random.integers(work["outputs"], size=rows)


def perceptron(params, state, x, key):
    new = []
    for i in range(depth):
        x = x @ params["layers"][i]["w"] + params["layers"][i]["b"]
        if i == depth - 1:
            return x, new
        if norm:
            mean, var = x.mean(0), x.var(0)
            new.append([0.9 * state[i][0] + 0.1 * mean, 0.9 * state[i][1] + 0.1 * var])
            x = (x - mean) * jax.lax.rsqrt(var + 1e-5) * params["norms"][i]["g"] + params["norms"][i]["b"]
        x = jax.nn.relu(x)
        if drop:
            x = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, i), 1 - drop, x.shape), x / (1 - drop), 0)


def elman(params, state, x, key):
    inputs = (x @ params["in"]["w"] + params["in"]["b"]).swapaxes(0, 1)

    def step(h, x):
        return jnp.tanh(x + h @ params["h"]["w"] + params["h"]["b"]), None

    h, _ = jax.lax.scan(step, jnp.zeros(inputs.shape[1:]), inputs)
    return h @ params["out"]["w"] + params["out"]["b"], state


def loss(params, state, x, y, key):
    out, state = (elman if recurrent else perceptron)(params, state, x, key)
    if values:
        return ((out - y) ** 2).mean(), state
    return -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1).mean(), state


def update(x, y, carry, index):
    params, state, m, v, t, key = carry
    key, own = jax.random.split(key)
    (value, state), g = jax.value_and_grad(loss, has_aux=True)(params, state, x[index], y[index], own)
    if clip:
        size = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(g)))
        g = jax.tree.map(lambda g: g * jnp.minimum(1, clip / (size + 1e-6)), g)
    t = t + 1
    if work["optimizer"] == "sgd":
        params = jax.tree.map(lambda p, g: p - 1e-4 * g, params, g)
    else:
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1 - 0.9**t, 1 - 0.999**t
        params = jax.tree.map(lambda p, m, v: p - 1e-4 * (m / a) / (jnp.sqrt(v / b) + 1e-8), params, m, v)
    return (params, state, m, v, t, key), value


@partial(jax.jit, donate_argnums=2)
def train(x, y, carry, order):
    return jax.lax.scan(partial(update, x, y), carry, order)


adam = work["optimizer"] == "adam"
zeros = jax.tree.map(jnp.zeros_like, params) if adam else ()
state = [[jnp.zeros(w), jnp.ones(w)] for w in work["hidden"]] if norm else []
carry = (jax.tree.map(jnp.asarray, params), state, zeros, jax.tree.map(jnp.zeros_like, zeros), 0.0, jax.random.key(0))
x, y = jnp.asarray(x), jnp.asarray(y)
each = max(rows // batch, 1)
orders = []
for _ in range(-(-updates // each)):
    orders.append(random.permutation(rows)[: each * batch].reshape(each, batch))
order = numpy.concatenate(orders)[:updates].astype("i4")
carry, losses = train(x, y, carry, jnp.asarray(order))
losses.block_until_ready()
