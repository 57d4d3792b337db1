class Periodic(nn.Module):
    """Cosines and sines of learnt frequencies, or the cosines with learnt phases."""

    def __init__(self, features, frequencies, has_bias):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features, frequencies))
        self.bias = nn.Parameter(torch.zeros(features, frequencies)) if has_bias else None

    def forward(self, x):
        angles = 2 * torch.pi * self.weight * x[..., None]
        if self.bias is not None:
            return torch.cos(angles + self.bias)
        return torch.cat([torch.cos(angles), torch.sin(angles)], -1)


class PiecewiseLinear(nn.Module):
    """The part of each bin that lies below a number; the first and the last bin go on."""

    def __init__(self, features, bins):
        super().__init__()
        self.register_buffer("weight", torch.zeros(features, bins))
        self.register_buffer("bias", torch.zeros(features, bins))

    def forward(self, x):
        x = torch.addcmul(self.bias, self.weight, x[..., None])
        if x.shape[-1] == 1:
            return x
        has_one = (self.weight[:, :-1] == 0).all(1)
        last = torch.where(has_one[:, None], x[..., -1:], x[..., -1:].clamp_min(0))
        return torch.cat([x[..., :1].clamp_max(1), x[..., 1:-1].clamp(0, 1), last], -1)


class Grouped(nn.Module):
    """A linear layer for each feature."""

    def __init__(self, features, inputs, outputs, has_bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(features, outputs)) if has_bias else None

    def forward(self, x):
        x = (x.transpose(0, 1) @ self.weight).transpose(0, 1)
        return x if self.bias is None else x + self.bias


class Numbers(nn.Module):
    """A linear embedding of each number."""

    def __init__(self, features, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features, outputs))
        self.bias = nn.Parameter(torch.zeros(features, outputs))

    def forward(self, x):
        return torch.addcmul(self.bias, self.weight, x[..., None])


class Numerical(nn.Module):
    """Embeddings of some columns, in front of the others."""

    def __init__(self, places, others, parts, relu, dense=False):
        super().__init__()
        self.places, self.others, self.relu, self.dense = places, others, relu, dense
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        numbers, others = x[:, self.places], x[:, self.others]
        y = self.linear((self.periodic if hasattr(self, "periodic") else self.impl)(numbers))
        y = torch.relu(y) if self.relu else y
        y = y + self.linear0(numbers) if hasattr(self, "linear0") else y
        return torch.cat([y.flatten(1), *([numbers] if self.dense else []), others], 1)
