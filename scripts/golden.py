#!/usr/bin/env python3
"""Makes the golden trajectories in tests/golden with PyTorch, in f64.

    python3 scripts/golden.py            # needs torch, safetensors, rtdl_num_embeddings and tabm; CI
                                 # needs none of them, the files are committed

Each case is one safetensors file: its metadata has the part of a descent config that asks for the same training,
its tensors the rows, the initial weights (`init/…`), the loss of every update (`losses`), the weights and the
optimizer state after the last one (`final/…`, `state/…`), and the weights some updates later (`later/…`).
tests/golden.rs trains the same and compares, then goes on from `final` and `state` to `later`.
"""
import copy
import fnmatch
import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

OUT = pathlib.Path(__file__).parent.parent / "tests/golden"
STEPS = 100
LATER = 20
BATCH = 8
ROWS = 28  # three batches of 8 and one of 4 an epoch

ACTIVATIONS = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "selu": nn.SELU, "silu": nn.SiLU,
    "mish": nn.Mish,
}


class Scale(nn.Module):
    """pytabkit's ScaleLayer."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.weight


class ParametricActivation(nn.Module):
    """pytabkit's ParametricActivationLayer."""

    def __init__(self, width, f):
        super().__init__()
        self.f, self.weight = f, nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x + (self.f(x) - x) * self.weight


class Pbld(nn.Module):
    """pytabkit's PLREmbeddingsLayerCosBias with `plr_use_densenet`; its tensors named as those of rtdl_num_embeddings."""

    class Periodic(nn.Module):
        def __init__(self, features, frequencies, sigma):
            super().__init__()
            self.weight = nn.Parameter(sigma * torch.randn(features, frequencies))
            self.bias = nn.Parameter(math.pi * (-1 + 2 * torch.rand(features, frequencies)))

    class Linear(nn.Module):
        def __init__(self, features, inputs, outputs):
            super().__init__()
            self.weight = nn.Parameter((-1 + 2 * torch.rand(features, inputs, outputs)) / inputs**0.5)
            self.bias = nn.Parameter((-1 + 2 * torch.rand(features, outputs)) / inputs**0.5)

    def __init__(self, features, d_embedding=4, n_frequencies=16, frequency_init_scale=0.1):
        super().__init__()
        self.periodic = self.Periodic(features, n_frequencies, frequency_init_scale)
        self.linear = self.Linear(features, n_frequencies, d_embedding - 1)

    def forward(self, x):
        x_orig = x
        x = x.transpose(-1, -2).unsqueeze(-1)
        x = 2 * torch.pi * x.matmul(self.periodic.weight[:, None])
        x = torch.cos(x + self.periodic.bias[:, None])
        x = x.matmul(self.linear.weight) + self.linear.bias[:, None]
        x = x.transpose(-2, -3)
        x = x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])
        return torch.cat([x, x_orig], dim=-1)


def numerical_embeddings(x, name, variant="plr", version="B", n_bins=48, **options):
    """The embeddings of `[model.numerical]` for these rows."""
    import rtdl_num_embeddings as rtdl

    if name == "piecewise_linear":
        bins = rtdl.compute_bins(x, n_bins)
        return rtdl.PiecewiseLinearEmbeddings(bins, version=version, **{"d_embedding": 16, "activation": False, **options})
    if variant == "pbld":
        return Pbld(x.shape[1], **options)
    return rtdl.PeriodicEmbeddings(x.shape[1], lite=False, **options)


class NtkLinear(nn.Module):
    """pytabkit's WeightLayer with `weight_param="ntk"`, and its bias."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.factor = inputs**-0.5
        self.weight, self.bias = nn.Parameter(torch.randn(outputs, inputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ (self.weight * self.factor).T + self.bias


class Mlp(nn.Module):
    def __init__(self, inputs, outputs, hidden=(6, 5), activation="relu", batch_norm=False, layer_norm=False,
                 front_scale=False, parametric_activation=False, parametrization="standard", numerical=None, ensemble=None):
        super().__init__()
        if numerical:
            self.numerical = numerical
            inputs = numerical(torch.zeros(1, inputs)).flatten(1).shape[1]
        if ensemble:
            import tabm

            init = "normal" if numerical else "random-signs"
            self.ensemble = tabm.ElementwiseAffine((ensemble, inputs), bias=False, scaling_init=init)
            self.k = ensemble
        self.depth, self.norm = len(hidden), "bn" if batch_norm else "ln" if layer_norm else None
        self.activation = ACTIVATIONS[activation]()
        self.parametric, self.scale = parametric_activation, Scale(inputs) if front_scale else None
        linear = NtkLinear if parametrization == "ntk" else nn.Linear
        widths = [inputs, *hidden, outputs]
        for i in range(len(widths) - 1):
            setattr(self, f"layer{i + 1}", linear(widths[i], widths[i + 1]))
            if ensemble and i == self.depth:
                setattr(self, f"layer{i + 1}", tabm.LinearEnsemble(widths[i], widths[i + 1], k=ensemble))
            if parametric_activation and i < self.depth:
                setattr(self, f"act{i + 1}", ParametricActivation(widths[i + 1], self.activation))
            if self.norm and i < self.depth:
                norm = nn.BatchNorm1d if batch_norm else nn.LayerNorm
                setattr(self, f"{self.norm}{i + 1}", norm(widths[i + 1]))

    def forward(self, x):
        x = self.numerical(x).flatten(1) if hasattr(self, "numerical") else x
        x = self.scale(x) if self.scale else x
        x = self.ensemble(x.unsqueeze(-2).expand(-1, self.k, -1)) if hasattr(self, "ensemble") else x
        for i in range(self.depth):
            x = getattr(self, f"layer{i + 1}")(x)
            if self.norm:
                x = getattr(self, f"{self.norm}{i + 1}")(x)
            x = getattr(self, f"act{i + 1}")(x) if self.parametric else self.activation(x)
        return getattr(self, f"layer{self.depth + 1}")(x)


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x)


class Recurrent(nn.Module):
    def __init__(self, name, inputs, outputs, hidden_size=6, head="last", **options):
        super().__init__()
        self.name, self.head = name, head
        layers = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[name]
        setattr(self, name, layers(inputs, hidden_size, batch_first=True, **options))
        width = hidden_size * (2 if options.get("bidirectional") else 1)
        self.fc = nn.Linear(width, outputs)

    def forward(self, x):
        states = getattr(self, self.name)(x)[0]
        return self.fc(states[:, -1] if self.head == "last" else states.mean(1))


class Lion(torch.optim.Optimizer):
    """Program 1 of https://arxiv.org/abs/2302.06675, which torch does not have."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                g = -p.grad if group["maximize"] else p.grad
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * g)
                p.sub_(group["lr"] * (update + group["weight_decay"] * p))
                m.mul_(beta2).add_(g, alpha=1 - beta2)


class Lamb(torch.optim.Optimizer):
    """Algorithm 2 of https://arxiv.org/abs/1904.00962, which torch does not have; phi is the identity."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01, maximize=False):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                g, state = -p.grad if group["maximize"] else p.grad, self.state[p]
                m = state.setdefault("exp_avg", torch.zeros_like(p))
                v = state.setdefault("exp_avg_sq", torch.zeros_like(p))
                state["step"] = state.get("step", torch.tensor(0.0)) + 1
                m.mul_(beta1).add_((1 - beta1) * g)
                v.mul_(beta2).add_((1 - beta2) * g * g)
                t = state["step"].item()
                r = m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + group["eps"]) + group["weight_decay"] * p
                w, u = p.norm(), r.norm()
                p.sub_(group["lr"] * (w / u if w > 0 and u > 0 else 1.0) * r)


class Muon:
    """torch.optim.Muon on the matrices, AdamW on the others."""

    def __init__(self, params, **options):
        params = [p for group in params for p in group["params"]]
        self.parts = [
            torch.optim.Muon([p for p in params if p.dim() == 2], **options),
            torch.optim.AdamW([p for p in params if p.dim() != 2], lr=options["lr"]),
        ]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @property
    def state(self):
        return {p: state for part in self.parts for p, state in part.state.items()}

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()

    def step(self):
        for part in self.parts:
            part.step()


def adafactor(params, eps=("none", 1e-3), **options):
    return torch.optim.Adafactor(params, eps=(None if eps[0] == "none" else eps[0], eps[1]), **options)


OPTIMIZERS = {
    "lbfgs": torch.optim.LBFGS, "muon": Muon, "adafactor": adafactor, "lamb": Lamb,
    "sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad, "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax, "nadam": torch.optim.NAdam, "radam": torch.optim.RAdam, "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop, "lion": Lion,
}


def toml(value):
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(v)}" for key, v in value.items()) + " }"
    return json.dumps(value)


def section(name, options):
    return f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in options.items())


def make(case, optimizer=None, model=None, loss=None, train=None, schedule=None):
    """Trains one case in PyTorch and writes its file."""
    optimizer = {"name": "sgd", "lr": 0.1, **(optimizer or {})}
    model = {"name": "mlp", **(model or {})}
    loss = {"name": "cross_entropy", **(loss or {})}
    train = {"batch_size": BATCH, **(train or {})}
    torch.manual_seed(sum(case.encode()))
    inputs, outputs = 5, 4
    recurrent = model["name"] not in ("mlp", "linear")
    x = torch.randn(ROWS, 7, inputs) if recurrent else torch.randn(ROWS, inputs)
    if loss["name"] in VALUES:
        targets = loss.pop("outputs", 3)
        y = VALUES[loss["name"]](ROWS, targets)
        if loss.get("log_target"):
            y = y.log()
        outputs = 2 * targets if loss["name"] == "gaussian_nll" else targets
    elif loss.pop("probabilities", False):
        y = distributions(ROWS, outputs)
    else:
        y = torch.randint(outputs, (ROWS,))
        y[0] = outputs - 1
        if "ignore_index" in loss:
            y[::5] = loss["ignore_index"]
    options = {key: value for key, value in model.items() if key != "name"}
    if model["name"] == "mlp":
        options.setdefault("hidden", [6, 5])
        model["hidden"] = options["hidden"]
    elif recurrent:
        options.setdefault("hidden_size", 6)
        model["hidden_size"] = options["hidden_size"]
    if "numerical" in options:
        options["numerical"] = numerical_embeddings(x, **options["numerical"])
    if recurrent:
        module = Recurrent(model["name"], inputs, outputs, **options)
    else:
        module = {"mlp": Mlp, "linear": Linear}[model["name"]](inputs, outputs, **options)
    tensors = {f"init/{k}": v.clone() for k, v in weights(module).items()}
    parts = run(module, x, y, optimizer, loss, train, schedule)
    tensors.update({"x": x, "y": y, "losses": torch.stack(parts.pop("losses"))})
    for part, state in [*parts.items(), ("later", weights(module))]:
        tensors.update({f"{part}/{name}": tensor for name, tensor in state.items()})
    assert all(tensor.isfinite().all() for tensor in tensors.values()), case
    train = {**train, "dtype": "f64", "shuffle": False, "epochs": 1000}
    config = section("model", model) + section("loss", loss) + section("optimizer", optimizer) + section("train", train)
    if schedule:
        config += section("schedule", schedule)
    OUT.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, OUT / f"{case}.safetensors", {"config": config})


def run(module, x, y, optimizer, loss, train, schedule=None, first=0, begin=None):
    """Trains up to STEPS updates and says where they led; from the very beginning goes on for LATER more.

    Where `first` updates were made already, `begin` puts their state into the optimizer.
    """
    options = {key: value for key, value in optimizer.items() if key not in ("name", "groups")}
    rule = OPTIMIZERS[optimizer["name"]](parameters(module, optimizer.get("groups", [])), **options)
    criterion = criterion_of(loss, y)
    if hasattr(module, "ensemble"):
        # As in the example of tabm: the mean over all members.
        of_one = criterion
        criterion = lambda values, ys: of_one(values.flatten(0, 1), ys.repeat_interleave(module.k, 0))  # noqa: E731
    # accumulated micro-batches are one batch
    batch = len(x) if train["batch_size"] == "full" else train["batch_size"] * train.get("accumulate", 1)
    end = len(x) - len(x) % batch if train.get("drop_last") else len(x)
    losses, start = [], 0
    for _ in range(first):
        start = 0 if start + batch >= end else start + batch
    if begin:
        begin(rule)
    every_step, scheduler = plan(rule, schedule)
    epoch = []
    average = train.get("average")
    if average:
        decay, warmup = average.get("decay", 0.999), average.get("warmup", False)

        def ema(mean, value, count):
            # TensorFlow's ExponentialMovingAverage(num_updates=count)
            keep = min(decay, (1 + count.item()) / (10 + count.item())) if warmup else decay
            return keep * mean + (1 - keep) * value

        averaged = torch.optim.swa_utils.AveragedModel(module, avg_fn=ema if average["name"] == "ema" else None)
    for step in range(first, STEPS if first else STEPS + LATER):
        rows = slice(start, min(start + batch, end))
        start = 0 if rows.stop >= end else rows.stop

        def closure():
            rule.zero_grad()
            value = criterion(module(x[rows]), y[rows])
            value.backward()
            trained = [p for p in module.parameters() if p.requires_grad]
            if "clip_grad_norm" in train:
                nn.utils.clip_grad_norm_(trained, train["clip_grad_norm"])
            if "clip_grad_value" in train:
                nn.utils.clip_grad_value_(trained, train["clip_grad_value"])
            return value

        if optimizer["name"] == "lbfgs":
            value = rule.step(closure)
        else:
            value = closure()
            rule.step()
        epoch_end = start == 0 and step // 4 + 1 >= (average or {}).get("start_epoch", 1)
        if average and (average["name"] == "ema" or epoch_end):
            averaged.update_parameters(module)
        losses.append(value.detach())
        epoch.append((value.item(), rows.stop - rows.start))
        if start == 0:
            mean = sum(loss * count for loss, count in epoch) / sum(count for _, count in epoch)
            epoch = []
        if scheduler and isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            if start == 0:
                scheduler.step(mean)
        elif scheduler and (every_step or start == 0):
            scheduler.step()
        if step + 1 == STEPS:
            reached = {"losses": list(losses), "final": weights(module), "state": state_of(module, rule), "average": {}}
            if average:
                judged = copy.deepcopy(averaged)
                torch.optim.swa_utils.update_bn([x[i : i + batch] for i in range(0, end, batch)], judged)
                state = judged.state_dict().items()
                reached["average"] = {k.removeprefix("module."): v for k, v in state if k != "n_averaged"}
            reached = copy.deepcopy(reached)
    return reached


def weights(module):
    """The state dict with plain linear layers."""
    factors = {f"{name}.weight": layer.factor for name, layer in module.named_modules() if isinstance(layer, NtkLinear)}
    return {name: tensor * factors.get(name, 1) for name, tensor in module.state_dict().items()}


def state_of(module, rule):
    """The optimizer's state by the parameters' names."""
    return {
        f"{name}.{key}": value
        for name, parameter in module.named_parameters()
        for key, value in tensors_of(rule.state.get(parameter, {}))
    }


def parameters(module, groups):
    """The parameters, in torch's groups where the case has some."""
    members = [[] for _ in groups] + [[]]
    for name, parameter in module.named_parameters():
        index = next((i for i, g in enumerate(groups) if fnmatch.fnmatchcase(name, g["match"])), -1)
        members[index].append(parameter)
    for group, frozen in zip(groups, members):
        for parameter in frozen if group.get("frozen") else []:
            parameter.requires_grad_(False)
    own = [{k: v for k, v in group.items() if k not in ("match", "frozen")} for group in [*groups, {}]]
    frozen = [group.get("frozen", False) for group in [*groups, {}]]
    return [{"params": m, **o} for m, o, f in zip(members, own, frozen) if m and not f]


def tensors_of(state):
    """The state's tensors; L-BFGS keeps numbers and lists as well, and a scratch list `al`."""
    for key, value in state.items():
        if torch.is_tensor(value):
            yield key, value
        elif key != "al" and isinstance(value, list):
            empty = torch.zeros(0) if key == "ro" else torch.zeros(0, 0)
            yield key, torch.stack([torch.as_tensor(v) for v in value]) if value else empty
        elif key != "al":
            yield key, torch.tensor(value)


def distributions(rows, classes):
    return torch.softmax(torch.randn(rows, classes), 1)


def gaussian_nll(variance="exp", **options):
    positive = {"exp": torch.exp, "softplus": nn.functional.softplus}[variance]
    nll = nn.GaussianNLLLoss(**options)

    def loss(x, y):
        mean, s = x.chunk(2, 1)
        return nll(mean, y, positive(s))

    return loss


def of_logits(kind, from_logits=True, **options):
    """torch leaves the log-softmax to the network's last layer."""
    loss = kind(**options)
    return lambda x, y: loss(torch.log_softmax(x, 1) if from_logits else x, y)


def focal(gamma=2.0, weight=None):
    """https://arxiv.org/abs/1708.02002, equation 5, with a softmax; torch has it for two classes only."""

    def loss(x, y):
        p = torch.softmax(x, 1)[range(len(y)), y]
        w = weight[y] if weight is not None else 1.0
        return (-w * (1 - p) ** gamma * p.log()).mean()

    return loss


# Targets of the losses that do not take classes.
VALUES = {
    "mse": torch.randn, "l1": torch.randn, "smooth_l1": torch.randn, "huber": torch.randn,
    "gaussian_nll": torch.randn, "kl_div": distributions,
    "bce_with_logits": lambda *shape: torch.randint(2, shape).double(),
    "hinge_embedding": lambda *shape: 2.0 * torch.randint(2, shape) - 1,
    "poisson_nll": lambda *shape: torch.poisson(torch.full(shape, 2.0)),
}

LOSSES = {
    "cross_entropy": nn.CrossEntropyLoss, "mse": nn.MSELoss, "l1": nn.L1Loss, "smooth_l1": nn.SmoothL1Loss,
    "huber": nn.HuberLoss, "poisson_nll": nn.PoissonNLLLoss, "gaussian_nll": gaussian_nll, "focal": focal,
    "bce_with_logits": nn.BCEWithLogitsLoss, "hinge_embedding": nn.HingeEmbeddingLoss,
    "nll": lambda **options: of_logits(nn.NLLLoss, **options),
    "kl_div": lambda **options: of_logits(nn.KLDivLoss, **options),
}


def criterion_of(loss, y):
    options = {key: value for key, value in loss.items() if key != "name"}
    for key in ("weight", "pos_weight"):
        if key in options:
            options[key] = torch.tensor(options[key])
    if options.pop("class_weight", None):
        from sklearn.utils.class_weight import compute_class_weight

        options["weight"] = torch.tensor(compute_class_weight("balanced", classes=torch.arange(4).numpy(), y=y.numpy()))
    return LOSSES[loss["name"]](**options)


def plan(rule, schedule):
    """The scheduler, and whether it steps with every update."""
    if not schedule:
        return False, None
    if isinstance(rule, Muon):
        parts = [plan(part, schedule) for part in rule.parts]
        return parts[0][0], Together([scheduler for _, scheduler in parts])
    options = dict(schedule)
    every_step, warmup = options.pop("interval", "epoch") == "step", options.pop("warmup_steps", 0)
    if warmup:  # a factor on top of whatever the schedule says, here of a constant learning rate
        return True, torch.optim.lr_scheduler.LambdaLR(rule, lambda k: min((k + 1) / warmup, 1))
    return every_step, scheduler_of(rule, options)


class Together:
    """Schedulers that step as one."""

    def __init__(self, schedulers):
        self.schedulers = schedulers

    def step(self):
        for scheduler in self.schedulers:
            scheduler.step()


def scheduler_of(rule, options):
    options = dict(options)
    kind = SCHEDULERS[options.pop("name")]
    if "schedules" in options:
        options["schedulers"] = [scheduler_of(rule, inner) for inner in options.pop("schedules")]
    return kind(rule, **options)


def coslog4(rule, total_steps):
    """pytabkit's `CoslogFunc(4)`, which torch lacks."""
    factor = lambda k: 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * min(k / total_steps, 1))))
    return torch.optim.lr_scheduler.LambdaLR(rule, factor)


def flat_cos(rule, total_steps):
    """pytabkit's `flat_cos`: 1 for half of the steps, then half a cosine."""
    factor = lambda k: 0.5 * (1 + math.cos(math.pi * max(2 * min(k / total_steps, 1) - 1, 0)))
    return torch.optim.lr_scheduler.LambdaLR(rule, factor)


SCHEDULERS = {
    "coslog4": coslog4, "flat_cos": flat_cos,
    "constant": torch.optim.lr_scheduler.ConstantLR, "linear": torch.optim.lr_scheduler.LinearLR,
    "step": torch.optim.lr_scheduler.StepLR, "multi_step": torch.optim.lr_scheduler.MultiStepLR,
    "exponential": torch.optim.lr_scheduler.ExponentialLR, "polynomial": torch.optim.lr_scheduler.PolynomialLR,
    "cosine_annealing": torch.optim.lr_scheduler.CosineAnnealingLR,
    "cosine_annealing_warm_restarts": torch.optim.lr_scheduler.CosineAnnealingWarmRestarts,
    "cyclic": torch.optim.lr_scheduler.CyclicLR, "one_cycle": torch.optim.lr_scheduler.OneCycleLR,
    "sequential": torch.optim.lr_scheduler.SequentialLR,
    "reduce_on_plateau": torch.optim.lr_scheduler.ReduceLROnPlateau,
}


def schedules():
    adam, sgd = {"name": "adam", "lr": 0.02}, {"lr": 0.1, "momentum": 0.9}
    cases = [
        ("constant", {"factor": 0.5, "total_iters": 7}, sgd),
        ("linear", {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 10}, sgd),
        ("step", {"step_size": 4, "gamma": 0.7}, sgd),
        ("multi_step", {"milestones": [3, 8, 20], "gamma": 0.5}, sgd),
        ("exponential", {"gamma": 0.9}, sgd),
        ("polynomial", {"total_iters": 15, "power": 2.0}, sgd),
        ("cosine_annealing", {"T_max": 8, "eta_min": 0.001}, adam),
        ("cosine_annealing_warm_restarts", {"T_0": 5, "eta_min": 0.001}, adam),
        ("cyclic", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}, sgd),
        ("one_cycle", {"max_lr": 0.1, "total_steps": 60}, sgd),
    ]
    for name, options, rule in cases:
        make(f"schedule-{name.replace('_', '-')}", rule, schedule={"name": name, **options})
    step = {"interval": "step"}
    make("schedule-cosine-step", adam, schedule={"name": "cosine_annealing", "T_max": 30, **step})
    make("schedule-restarts-mult", adam, schedule={"name": "cosine_annealing_warm_restarts", "T_0": 9, "T_mult": 2, **step})
    triangular = {"name": "cyclic", "base_lr": 0.001, "max_lr": 0.05, "step_size_up": 7, "step_size_down": 11, **step}
    make("schedule-cyclic-triangular2", sgd, schedule={**triangular, "mode": "triangular2"})
    make("schedule-cyclic-exp-range", {"lr": 0.1}, schedule={**triangular, "mode": "exp_range", "gamma": 0.98, "cycle_momentum": False})
    cycle = {"name": "one_cycle", "max_lr": 0.05, "total_steps": 120, **step}
    make("schedule-one-cycle-adam", adam, schedule={**cycle, "pct_start": 0.4, "base_momentum": 0.7})
    make("schedule-one-cycle-three", sgd, schedule={**cycle, "three_phase": True, "anneal_strategy": "linear"})
    parts = [{"name": "linear", "total_iters": 10}, {"name": "cosine_annealing", "T_max": 40}, {"name": "exponential", "gamma": 0.95}]
    make("schedule-sequential", sgd, schedule={"name": "sequential", "schedules": parts, "milestones": [10, 50], **step})
    plateau = {"name": "reduce_on_plateau", "factor": 0.5, "patience": 1}
    make("schedule-plateau", {"lr": 0.8, "momentum": 0.9}, schedule={**plateau, "threshold": 0.05})
    make("schedule-plateau-abs", {"lr": 0.5}, schedule={**plateau, "threshold": 0.01, "threshold_mode": "abs", "cooldown": 2, "min_lr": 0.1})
    make("schedule-plateau-max", {"name": "adam", "lr": 0.02}, schedule={**plateau, "mode": "max", "eps": 0.001})
    make("schedule-warmup", adam, schedule={"warmup_steps": 20})
    # torch makes the state of these two in the first step, from the learning rate that the schedule has set.
    linear = {"name": "linear", "start_factor": 0.1, "total_iters": 10}
    bias = {"match": "*.bias", "lr": 0.003}
    make("schedule-linear-asgd", {"name": "asgd", "lambd": 0.01, "groups": [{**bias, "lr": 0.05}]}, schedule=linear)
    make("schedule-linear-rprop", {"name": "rprop", "lr": 0.01, "groups": [bias]}, schedule=linear)
    make("schedule-warmup-rprop", {"name": "rprop", "lr": 0.01}, schedule={"warmup_steps": 20})
    one_cycle = {"max_lr": 0.1, "total_steps": 120, "cycle_momentum": False, **step}
    make("schedule-one-cycle-asgd", {"name": "asgd"}, schedule={"name": "one_cycle", **one_cycle})
    make("schedule-coslog4", adam, schedule={"name": "coslog4", "total_steps": 110, **step})
    make("schedule-flat-cos", sgd, schedule={"name": "flat_cos", "total_steps": 120, **step})


def sequences():
    """`one_cycle` and `cyclic` leave other schedules of their sequence a learning rate, and one another their bounds."""
    linear, decay = {"name": "linear", "start_factor": 0.1, "total_iters": 10}, {"name": "exponential", "gamma": 0.97}
    cycle = {"name": "one_cycle", "max_lr": 0.3, "total_steps": 100}
    other = {**cycle, "max_lr": 0.1, "div_factor": 5.0, "final_div_factor": 20.0, "base_momentum": 0.5, "max_momentum": 0.7}
    cyclic = {"name": "cyclic", "base_lr": 0.02, "max_lr": 0.2, "step_size_up": 6}
    low = {**cyclic, "max_lr": 0.1, "base_momentum": 0.3, "max_momentum": 0.6}
    still = {"cycle_momentum": False}
    cosine = {"name": "cosine_annealing", "T_max": 20, "eta_min": 0.001}
    restarts = {"name": "cosine_annealing_warm_restarts", "T_0": 8, "eta_min": 0.001}
    cases = {
        "linear-one-cycle": ([linear, cycle], [20]),
        "one-cycle-exponential": ([cycle, decay], [30]),
        "cyclic-exponential": ([cyclic, decay], [30]),
        "exponential-cyclic": ([decay, cyclic], [30]),
        "two-one-cycles": ([cycle, decay, other], [30, 60]),
        "one-cycle-cyclic": ([cycle, {"name": "step", "step_size": 9, "gamma": 0.8}, low, decay], [30, 50, 80]),
        "cyclic-one-cycle": ([cyclic, decay, other, {**cosine, "T_max": 40}], [20, 30, 70]),
        "still": ([other, {**cycle, **still}, {**decay}], [40, 80]),
        "cosine-one-cycle": ([cosine, {**cycle, **still}], [55]),
        "restarts-one-cycle": ([restarts, {**cycle, **still}, restarts], [20, 70]),
        "flat-cos-one-cycle": ([{"name": "flat_cos", "total_steps": 30}, {**cycle, **still}], [30]),
    }
    bias = {"match": "*.bias", "lr": 0.02}
    for name, (parts, milestones) in cases.items():
        schedule = {"name": "sequential", "schedules": parts, "milestones": milestones, "interval": "step"}
        make(f"sequence-{name}", {"lr": 0.1, "momentum": 0.4, "groups": [bias]}, schedule=schedule)
    adam = {"name": "sequential", "schedules": [linear, other, low, cycle], "milestones": [10, 40, 70], "interval": "step"}
    make("sequence-adam", {"name": "adam", "lr": 0.02}, schedule=adam)


def cycled_momentum():
    """Schedules that move `momentum` or `betas[0]`, on every optimizer that has either."""
    step = {"interval": "step"}
    one_cycle = {"name": "one_cycle", "max_lr": 0.02, "total_steps": 120, **step}
    cyclic = {"name": "cyclic", "base_lr": 0.001, "max_lr": 0.02, "step_size_up": 9, **step}
    rules = {
        "sgd": {}, "sgd-nesterov": {"name": "sgd", "momentum": 0.5, "nesterov": True},
        "sgd-dampening": {"name": "sgd", "dampening": 0.3}, "rmsprop": {},
        "rmsprop-centered": {"name": "rmsprop", "momentum": 0.5, "centered": True},
        "adamw": {"amsgrad": True}, "adamax": {}, "nadam": {}, "radam": {}, "lion": {}, "lamb": {}, "muon": {},
    }
    lr = {"rmsprop": 0.001, "rmsprop-centered": 0.001, "lion": 0.003, "muon": 0.002}
    for name, options in rules.items():
        model = {"activation": "tanh"} if name == "muon" else None
        rule = {"name": name, **options}
        top = {"max_lr": lr.get(name, 0.02)}
        make(f"cycle-one-cycle-{name}", rule, model, schedule={**one_cycle, **top})
        make(f"cycle-cyclic-{name}", rule, model, schedule={**cyclic, **top, "base_lr": top["max_lr"] / 20})
    # Momentum is 0 at the top of each cycle: there neither has a buffer to move.
    for name in ("sgd-dampening", "rmsprop"):
        zero = {**cyclic, "base_lr": 0.0001, "max_lr": 0.002, "step_size_up": 4, "base_momentum": 0.0}
        make(f"cycle-to-zero-{name}", {"name": name, **rules[name]}, schedule=zero)
    # Behind the cycle the momentum stays where it ended.
    parts = [{**one_cycle, "total_steps": 40}, {"name": "exponential", "gamma": 0.97}]
    for part in parts:
        part.pop("interval", None)
    sequence = {"name": "sequential", "schedules": parts, "milestones": [30], **step}
    make("cycle-sequential", {"lr": 0.02 / 25}, schedule=sequence)


def optimizers():
    shared = [("", {}), ("weight-decay", {"weight_decay": 0.05}), ("maximize", {"maximize": True, "lr": 0.001})]
    own = {
        "sgd": [
            ("momentum", {"momentum": 0.9}),
            ("dampening", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
            ("nesterov", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ],
        "adam": [
            ("betas", {"betas": [0.7, 0.95], "eps": 1e-3}),
            ("amsgrad", {"amsgrad": True}),
            ("decoupled", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
        ],
        "adamw": [
            ("betas", {"betas": [0.7, 0.95], "eps": 1e-3, "weight_decay": 0.3}),
            ("amsgrad", {"amsgrad": True, "weight_decay": 0.0}),
        ],
        "rmsprop": [
            ("alpha", {"alpha": 0.8, "eps": 1e-3}),
            ("momentum", {"momentum": 0.9}),
            ("centered", {"centered": True}),
            ("centered-momentum", {"centered": True, "momentum": 0.5, "weight_decay": 0.02}),
        ],
        "adagrad": [
            ("lr-decay", {"lr_decay": 0.1}),
            ("initial", {"initial_accumulator_value": 0.3, "eps": 1e-3}),
        ],
    }
    own |= {
        "adadelta": [("rho", {"rho": 0.5, "eps": 1e-3, "lr": 0.5})],
        "adamax": [("betas", {"betas": [0.7, 0.95], "eps": 1e-3})],
        "nadam": [
            ("betas", {"betas": [0.7, 0.95], "eps": 1e-3, "momentum_decay": 0.1}),
            ("decoupled", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
        ],
        "radam": [
            ("betas", {"betas": [0.7, 0.95], "eps": 1e-3}),
            ("decoupled", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
        ],
        "asgd": [("average", {"lambd": 0.01, "alpha": 0.5, "t0": 30})],
        "rprop": [("etas", {"etas": [0.3, 1.5], "step_sizes": [1e-4, 0.05]})],
        "lion": [("betas", {"betas": [0.7, 0.95]})],
        "lamb": [("betas", {"betas": [0.7, 0.95], "eps": 1e-3, "weight_decay": 0.0})],
        "adafactor": [
            ("eps", {"eps": [0.05, 0.2], "d": 1.5}),
            ("eps-none", {"eps": ["none", 0.1]}),
            ("decay", {"beta2_decay": -0.5, "weight_decay": 0.3}),
        ],
        "muon": [
            ("plain", {"nesterov": False, "momentum": 0.8, "ns_steps": 3}),
            ("match-rms", {"adjust_lr_fn": "match_rms_adamw"}),
            ("spectral", {"adjust_lr_fn": "spectral_unclamped"}),
        ],
    }
    lr = {"sgd": 0.1, "rmsprop": 0.005, "adagrad": 0.1, "adadelta": 1.0, "asgd": 0.1, "rprop": 0.01, "lion": 0.003, "muon": 0.002}
    for name, cases in own.items():
        for case, options in shared + cases:
            if "weight_decay" in options and name == "rprop" or "maximize" in options and name == "muon":
                continue
            # Muon rounds to bfloat16, and a kink would make much of it.
            model = {"activation": "tanh"} if name == "muon" else None
            make("-".join(filter(None, ["optim", name, case])), {"name": name, "lr": lr.get(name, 0.02), **options}, model)


def line_searches():
    """L-BFGS ends where no element of the gradient is above tolerance_grad; nearer to the minimum only rounding is left."""
    square, tanh = {"hidden": []}, {"activation": "tanh", "hidden": [4]}
    full, mse = {"train": {"batch_size": "full"}}, {"loss": {"name": "mse"}}
    rule = {"name": "lbfgs", "tolerance_grad": 1e-5, "max_iter": 4, "lr": 0.1}
    make("optim-lbfgs", rule, square, **full, **mse)
    make("optim-lbfgs-history", {**rule, "history_size": 3, "max_eval": 3}, square, **full, **mse)
    make("optim-lbfgs-batches", {**rule, "lr": 0.005, "max_iter": 2, "history_size": 2}, square, **mse)
    make("optim-lbfgs-maximize", {**rule, "lr": 0.001, "max_iter": 1, "maximize": True}, square, **full, **mse)
    wolfe = {**rule, "line_search_fn": "strong_wolfe", "lr": 1.0, "tolerance_grad": 1e-4}
    make("optim-lbfgs-wolfe", wolfe, square, **full, **mse)
    make("optim-lbfgs-wolfe-far", {**wolfe, "lr": 30.0, "max_eval": 9, "history_size": 4}, square, **full, **mse)
    make("optim-lbfgs-wolfe-net", {**wolfe, "lr": 0.2, "tolerance_grad": 1e-2}, tanh, **full, **mse)


def groups():
    bias, head = {"match": "*.bias", "weight_decay": 0.0, "lr": 0.05}, {"match": "layer3.*", "lr": 0.001}
    make("groups-sgd", {"momentum": 0.9, "weight_decay": 0.02, "groups": [bias, {**head, "momentum": 0.5}]})
    make("groups-adam", {"name": "adamw", "lr": 0.02, "groups": [head, {**bias, "betas": [0.5, 0.9]}]},
         schedule={"name": "exponential", "gamma": 0.9})
    make("groups-nadam", {"name": "nadam", "lr": 0.02, "groups": [{**bias, "momentum_decay": 0.1}]})
    frozen = {"match": "layer1.*", "frozen": True}
    make("groups-frozen", {"name": "adam", "lr": 0.02, "groups": [frozen]}, train={"clip_grad_norm": 0.1})
    make("groups-frozen-lbfgs", {"name": "lbfgs", "max_iter": 2, "lr": 0.1, "tolerance_grad": 1e-3, "groups": [frozen]},
         train={"batch_size": "full"})


def layers():
    for activation in ACTIVATIONS:
        make(f"activation-{activation.replace('_', '-')}", model={"activation": activation})
    make("mlp-linear", model={"hidden": []})
    make("linear", {"name": "adam", "lr": 0.02}, {"name": "linear"})
    # A bias before BatchNorm has no gradient but rounding; with a larger eps Adam does not blow that up.
    make("mlp-batch-norm", {"name": "adam", "lr": 0.01, "eps": 1e-3}, {"batch_norm": True})
    make("mlp-batch-norm-sgd", model={"batch_norm": True, "activation": "tanh"}, loss={"name": "mse"})
    make("rnn-tanh", model={"name": "rnn"})
    make("rnn-relu", model={"name": "rnn", "nonlinearity": "relu"}, train={"clip_grad_norm": 0.5})
    make("rnn-layers", {"name": "adam", "lr": 0.01}, {"name": "rnn", "num_layers": 3}, {"name": "mse", "outputs": 1})
    make("rnn-bidirectional", model={"name": "rnn", "num_layers": 2, "bidirectional": True})
    make("rnn-mean", model={"name": "rnn", "head": "mean"})
    for name in ("lstm", "gru"):
        make(name, model={"name": name})
        make(f"{name}-bidirectional", model={"name": name, "bidirectional": True}, train={"clip_grad_norm": 0.3})
        make(f"{name}-mean", model={"name": name, "head": "mean", "bidirectional": True})
        make(f"{name}-layers", {"name": "adam", "lr": 0.01}, {"name": name, "num_layers": 3}, {"name": "mse", "outputs": 1})
        make(f"{name}-all", model={"name": name, "num_layers": 2, "bidirectional": True})
    make("mlp-layer-norm", {"name": "adam", "lr": 0.01}, {"layer_norm": True})
    scale = {"match": "scale.weight", "lr": 0.06}
    make("mlp-front-scale", {"name": "adam", "lr": 0.01, "groups": [scale]}, {"front_scale": True})
    acts = {"match": "act*.weight", "lr": 0.001}
    make("mlp-parametric", {"name": "adam", "lr": 0.01, "groups": [acts]}, {"parametric_activation": True, "activation": "selu"})
    make("mlp-parametric-norm", {"lr": 0.05}, {"parametric_activation": True, "activation": "mish", "layer_norm": True})
    ntk = {"parametrization": "ntk", "activation": "tanh"}
    make("mlp-ntk", {"name": "adam", "lr": 0.03, "betas": [0.9, 0.95], "weight_decay": 0.01}, ntk)
    make("mlp-ntk-adamw", {"name": "adamw", "lr": 0.03, "weight_decay": 0.1, "eps": 1e-3}, {**ntk, "front_scale": True})
    parts = {"match": "numerical.*", "lr": 0.002}
    plr = {"name": "periodic", "n_frequencies": 3, "d_embedding": 4, "frequency_init_scale": 0.3}
    make("numerical-plr", {"name": "adam", "lr": 0.01, "groups": [parts]}, {"numerical": plr})
    pbld = {"name": "periodic", "variant": "pbld", "n_frequencies": 4}
    make("numerical-pbld", {"name": "adam", "lr": 0.01}, {"numerical": pbld, "front_scale": True, "activation": "selu"})
    bins = {"name": "piecewise_linear", "n_bins": 5, "d_embedding": 3}
    make("numerical-piecewise", {"name": "adamw", "lr": 0.01}, {"numerical": bins})
    make("numerical-piecewise-a", {"name": "adam", "lr": 0.01}, {"numerical": {**bins, "version": "A", "activation": True}})
    make("ensemble", {"name": "adamw", "lr": 0.01}, {"ensemble": 3})
    make("ensemble-values", {"lr": 0.05}, {"ensemble": 2, "layer_norm": True}, {"name": "mse", "outputs": 2})
    make("ensemble-numerical", {"name": "adam", "lr": 0.01}, {"ensemble": 2, "numerical": bins}, {"label_smoothing": 0.1})
    make("mlp-ntk-sgd", {"lr": 0.3, "momentum": 0.9, "weight_decay": 0.01}, ntk)


def losses():
    weight = [0.3, 1.0, 2.5, 0.7]
    make("loss-weight", loss={"weight": weight})
    make("loss-label-smoothing", loss={"label_smoothing": 0.1})
    make("loss-ignore-index", loss={"ignore_index": 2})
    make("loss-all", loss={"weight": weight, "label_smoothing": 0.2, "ignore_index": 1})
    make("loss-mse", loss={"name": "mse"})
    make("loss-mse-one", loss={"name": "mse", "outputs": 1})
    make("loss-sum", {"lr": 0.01}, loss={"reduction": "sum"}, train={"batch_size": 4, "accumulate": 2})
    make("loss-probabilities", loss={"probabilities": True})
    make("loss-probabilities-all", loss={"probabilities": True, "weight": weight, "label_smoothing": 0.2})
    make("loss-balanced", loss={"class_weight": "balanced"})
    cases = {
        "nll": [{}, {"weight": weight, "ignore_index": 2}, {"from_logits": False, "reduction": "sum"}],
        "focal": [{}, {"gamma": 0.5, "weight": weight}],
        "bce_with_logits": [{}, {"pos_weight": [0.5, 1.0, 4.0]}, {"reduction": "sum"}, {"pos_weight": 2.5}],
        "l1": [{}, {"reduction": "sum"}],
        "smooth_l1": [{}, {"beta": 0.3}, {"beta": 0.0}],
        "huber": [{}, {"delta": 0.4}],
        "poisson_nll": [{}, {"full": True}, {"log_input": False, "eps": 20.0, "full": True}],
        "gaussian_nll": [{}, {"variance": "softplus", "full": True}, {"eps": 0.9, "reduction": "sum"}],
        "hinge_embedding": [{}, {"margin": 0.2}],
        "kl_div": [{}, {"reduction": "batchmean"}, {"log_target": True, "reduction": "sum"}, {"from_logits": False}],
    }
    for name, options in cases.items():
        for index, option in enumerate(options):
            small = option.get("reduction") == "sum" or name == "gaussian_nll" or "log_input" in option
            rule = {"lr": 0.005 if small else 0.05}
            make(f"loss-{name.replace('_', '-')}-{index}", rule, loss={"name": name, **option})


def training():
    make("train-clip-norm", train={"clip_grad_norm": 0.05})
    make("train-clip-value", train={"clip_grad_value": 0.01})
    make("train-full", train={"batch_size": "full"})
    make("train-stochastic", {"lr": 0.02}, train={"batch_size": 1})
    make("train-accumulate", loss={"weight": [0.3, 1.0, 2.5, 0.7]}, train={"batch_size": 4, "accumulate": 3})
    norm = {"batch_norm": True, "activation": "tanh"}
    make("train-ema", {"lr": 0.2}, train={"average": {"name": "ema", "decay": 0.9}})
    make("train-ema-warmup", {"lr": 0.2}, train={"average": {"name": "ema", "decay": 0.9, "warmup": True}})
    make("train-ema-batch-norm", {"lr": 0.05}, norm, {"name": "mse"}, train={"average": {"name": "ema"}})
    make("train-swa", {"lr": 0.05}, norm, {"name": "mse"}, train={"average": {"name": "swa", "start_epoch": 11}})
    make("train-drop-last", {"name": "adam", "lr": 0.01}, train={"drop_last": True})


def splits():
    """The rows of each class that scikit-learn's stratified splits hold out.

    Classes with equal remainders are drawn from at random: no case has equal remainders of different class sizes, and
    the counts of the classes of one size are sorted. Folds number the classes in the order of their first rows.
    """
    import fractions
    import math
    import random

    import numpy
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
    from sklearn.utils.extmath import _approximate_mode

    draw = random.Random(1)
    shares, folds = [], []
    fixed = [([4] * 30, 0.1), ([50] * 3, 0.2), ([4, 5, 6], 0.5), ([9, 6, 85], 0.07), ([2] * 9 + [7], 0.34)]
    while len(shares) < 150:
        if len(shares) < len(fixed):
            counts, share = fixed[len(shares)]
        else:
            largest = draw.choice([6, 30, 300])
            counts = [draw.randint(2, largest) for _ in range(draw.randint(1, 40))]
            share = draw.choice([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.33, 0.4, 0.5])
        rows = sum(counts)
        held = math.ceil(share * rows)
        remainders = {size: fractions.Fraction(held * size, rows) % 1 for size in counts}
        if len(set(remainders.values())) < len(remainders) or held == 0:
            continue
        y = [label for label, count in enumerate(counts) for _ in range(count)]
        # It refuses fewer rows than classes; the rule that it counts by does not.
        split = StratifiedShuffleSplit(1, test_size=share, random_state=0)
        if held >= len(counts) and rows - held >= len(counts):
            [(_, test)] = split.split(y, y)
            of_class = [sum(y[row] == label for row in test) for label in range(len(counts))]
        else:
            kept = _approximate_mode(numpy.array(counts), rows - held, numpy.random.RandomState(0))
            of_class = [count - int(kept) for count, kept in zip(counts, kept)]
        by_size = {size: sorted(h for c, h in zip(counts, of_class) if c == size) for size in sorted(set(counts))}
        shares.append({"counts": counts, "share": share, "held": by_size})
    while len(folds) < 60:
        counts = [draw.randint(1, 25) for _ in range(draw.randint(1, 12))]
        of = draw.randint(2, 10)
        if of > max(counts):
            continue
        y = [label for label, count in enumerate(counts) for _ in range(count)]
        draw.shuffle(y)
        parts = StratifiedKFold(of, shuffle=True, random_state=0).split(y, y)
        held = [[sum(y[row] == label for row in test) for label in range(len(counts))] for _, test in parts]
        folds.append({"classes": y, "held": held})
    (OUT / "splits.json").write_text(json.dumps({"shares": shares, "folds": folds}) + "\n")


def inits():
    """Standard deviation, mean and bound of torch's initialisers on a (300, 500) weight."""
    table = {}
    for name, options in [
        ("uniform", {"a": -0.5, "b": 1.0}), ("normal", {"mean": 0.3, "std": 0.2}), ("trunc_normal", {"std": 1.5}),
        ("constant", {"val": 0.4}), ("zeros", {}), ("ones", {}),
        ("xavier_uniform", {"gain": 1.5}), ("xavier_normal", {}),
        ("kaiming_uniform", {"mode": "fan_out", "nonlinearity": "relu"}), ("kaiming_uniform", {"a": 0.3}),
        ("kaiming_normal", {"nonlinearity": "tanh"}), ("kaiming_normal", {"mode": "fan_out", "nonlinearity": "selu"}),
        ("kaiming_normal", {}), ("orthogonal", {"gain": 2.0}),
    ]:
        torch.manual_seed(1)
        w = torch.empty(300, 500)
        getattr(nn.init, f"{name}_")(w, **options)
        options = ", ".join(f"{key} = {toml(value)}" for key, value in {"name": name, **options}.items())
        table["{ " + options + " }"] = summary(w)
    torch.manual_seed(1)
    modules = {"mlp": nn.Linear(500, 300), "rnn": nn.RNN(300, 200)}
    for kind, module in modules.items():
        for name, w in module.named_parameters():
            table[f"{kind}.{name}"] = summary(w.detach())
    (OUT / "init.json").write_text(json.dumps(table, indent=1) + "\n")


def summary(w):
    return {"mean": w.mean().item(), "std": w.std().item(), "min": w.min().item(), "max": w.max().item()}


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    optimizers()
    line_searches()
    groups()
    schedules()
    sequences()
    cycled_momentum()
    layers()
    losses()
    training()
    inits()
    splits()
