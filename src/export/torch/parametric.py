class ParametricActivation(nn.Module):
    """x + weight (function(x) - x) with a weight for each unit."""

    def __init__(self, width, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x + (self.function(x) - x) * self.weight
