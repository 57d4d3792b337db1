class EnsembleScale(nn.Module):
    """(N, F) to (N * M, F): each row times the numbers of each of M members."""

    def __init__(self, members, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, width))

    def forward(self, x):
        return (x[:, None] * self.weight).flatten(0, 1)


class EnsembleLinear(nn.Module):
    """(N * M, in) to (N, M, out): a linear layer for each member."""

    def __init__(self, members, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(members, outputs))

    def forward(self, x):
        x = x.unflatten(0, (-1, len(self.weight))).transpose(0, 1)
        return (x @ self.weight).transpose(0, 1) + self.bias
