"""A JAX training loop of one workload, jit-compiled, many updates in one `lax.scan`.

    python jax_scan.py WORKLOAD-AS-JSON UPDATES     so many updates on the CPU: compare-peers.py times the process
    python jax_scan.py serve cuda|cpu               answers server.py's requests; a scan makes an epoch, or `scan` updates
"""
import json
import os
import sys
from functools import partial

# Other processes on the GPU want memory too.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy


def parameters(work, random):
    """Weights and data of a workload, on the host."""

    def layer(inputs, outputs):
        bound = inputs**-0.5
        return {"w": random.uniform(-bound, bound, (inputs, outputs)).astype("f4"), "b": numpy.zeros(outputs, "f4")}

    rows = work["rows"]
    if "steps" in work:
        hidden, gates = work["hidden"][0], {"rnn": 1, "lstm": 4, "gru": 3}[work.get("cell", "rnn")]
        params = {"in": layer(work["inputs"], gates * hidden), "h": layer(hidden, gates * hidden)}
        params["out"] = layer(hidden, work["outputs"])
        x = random.random((rows, work["steps"], work["inputs"]), dtype="f4")
    else:
        widths = [work["inputs"], *work["hidden"], work["outputs"]]
        params = {"layers": [layer(a, b) for a, b in zip(widths, widths[1:])]}
        if work.get("batch_norm"):
            params["norms"] = [{"g": numpy.ones(w, "f4"), "b": numpy.zeros(w, "f4")} for w in work["hidden"]]
        x = random.random((rows, work["inputs"]), dtype="f4")
    if work["outputs"] == 1:
        y = random.standard_normal((rows, 1)).astype("f4")
    else:
        y = random.integers(work["outputs"], size=rows)
    return params, x, y


def perceptron(work, params, state, x, key):
    new, depth = [], len(work["hidden"]) + 1
    for i in range(depth):
        x = x @ params["layers"][i]["w"] + params["layers"][i]["b"]
        if i == depth - 1:
            return x, new
        if work.get("batch_norm"):
            mean, var = x.mean(0), x.var(0)
            new.append([0.9 * state[i][0] + 0.1 * mean, 0.9 * state[i][1] + 0.1 * var])
            x = (x - mean) * jax.lax.rsqrt(var + 1e-5) * params["norms"][i]["g"] + params["norms"][i]["b"]
        x = jax.nn.relu(x)
        if drop := work.get("dropout"):
            x = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, i), 1 - drop, x.shape), x / (1 - drop), 0)


def elman(h, inputs, hidden):
    return jnp.tanh(inputs + hidden(h))


def lstm(carry, inputs, hidden):
    h, c = carry
    i, f, g, o = jnp.split(inputs + hidden(h), 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(h, inputs, hidden):
    (r, z, n), (own_r, own_z, own_n) = jnp.split(inputs, 3, axis=1), jnp.split(hidden(h), 3, axis=1)
    z = jax.nn.sigmoid(z + own_z)
    return (1 - z) * jnp.tanh(n + jax.nn.sigmoid(r + own_r) * own_n) + z * h


def recurrent(work, params, state, x):
    """The last hidden state through a linear layer. The product with the inputs is one for all steps, as PyTorch makes it."""
    inputs = (x @ params["in"]["w"] + params["in"]["b"]).swapaxes(0, 1)
    cell = {"rnn": elman, "lstm": lstm, "gru": gru}[work.get("cell", "rnn")]

    def step(carry, x):
        return cell(carry, x, lambda h: h @ params["h"]["w"] + params["h"]["b"]), None

    zeros = jnp.zeros((x.shape[0], work["hidden"][0]))
    carry, _ = jax.lax.scan(step, (zeros, zeros) if cell is lstm else zeros, inputs)
    h = carry[0] if cell is lstm else carry
    return h @ params["out"]["w"] + params["out"]["b"], state


def loss(work, params, state, x, y, key):
    out, state = recurrent(work, params, state, x) if "steps" in work else perceptron(work, params, state, x, key)
    if work["outputs"] == 1:
        return ((out - y) ** 2).mean(), state
    return -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1).mean(), state


def update(work, x, y, carry, index):
    params, state, m, v, t, key = carry
    key, own = jax.random.split(key)
    of = jax.value_and_grad(partial(loss, work), has_aux=True)
    (value, state), g = of(params, state, x[index], y[index], own)
    if clip := work.get("clip"):
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


class Training:
    """Data, weights and a compiled scan over updates."""

    def __init__(self, work):
        self.random = numpy.random.default_rng(0)
        self.rows, self.batch = work["rows"], work["batch"]
        params, x, y = parameters(work, self.random)
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        zeros = jax.tree.map(jnp.zeros_like, params) if work["optimizer"] == "adam" else ()
        state = [[jnp.zeros(w), jnp.ones(w)] for w in work["hidden"]] if work.get("batch_norm") else []
        moments = (zeros, jax.tree.map(jnp.zeros_like, zeros))
        self.carry = (jax.tree.map(jnp.asarray, params), state, *moments, 0.0, jax.random.key(0))

        @partial(jax.jit, donate_argnums=2)
        def scan(x, y, carry, order):
            return jax.lax.scan(partial(update, work, x, y), carry, order)

        self.scan = scan

    def order(self, updates):
        """The rows of so many batches, on the device. A last batch that is smaller is left out."""
        each, orders = max(self.rows // self.batch, 1), []
        for _ in range(-(-updates // each)):
            orders.append(self.random.permutation(self.rows)[: each * self.batch].reshape(each, self.batch))
        return jnp.asarray(numpy.concatenate(orders)[:updates].astype("i4"))

    def train(self, orders):
        for order in orders:
            self.carry, losses = self.scan(self.x, self.y, self.carry, order)
        losses.block_until_ready()


def serve(device):
    from server import serve

    if jax.default_backend() != {"cuda": "gpu"}.get(device, device):
        return serve({"left_out": f"JAX {jax.__version__} finds no GPU"}, None)
    # Products in f32, as descent's are.
    jax.config.update("jax_default_matmul_precision", "highest")

    def build(work, variant):
        training = Training(work)
        length = min(max(work["rows"] // work["batch"], 1), work.get("scan", 10**9))
        orders = [training.order(length) for _ in range(2)]

        def train(updates):
            scans = -(-updates // length)
            training.train(orders[scan % 2] for scan in range(scans))
            return scans * length

        return train

    serve({"ready": f"JAX {jax.__version__}"}, build)


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    training = Training(json.loads(sys.argv[1]))
    training.train([training.order(int(sys.argv[2]))])
