class Model(nn.Module):
    """MEMBERS networks, each of which was trained without one fold of the rows; its values stand for the mean of their predictions."""

    def __init__(self):
        super().__init__()
        for number in range(MEMBERS):
            self.add_module(f"member{number + 1}", Member())

    def forward(self, x):
        values = torch.stack([member(x) for member in self.children()])
        return MEAN
