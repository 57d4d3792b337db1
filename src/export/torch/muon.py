class Muon(torch.optim.Optimizer):
    """torch.optim.Muon on the matrices, AdamW with the same learning rate on the others."""

    def __init__(self, groups, **options):
        def of(group, is_matrix):
            return [weight for weight in group["params"] if (weight.dim() == 2) == is_matrix]

        groups = [group if isinstance(group, dict) else {"params": [group]} for group in groups]
        matrices = [{**group, "params": of(group, True)} for group in groups if of(group, True)]
        others = [{"params": of(group, False), "lr": group.get("lr", options["lr"])} for group in groups if of(group, False)]
        self.parts = [torch.optim.Muon(matrices, **options)] if matrices else []
        self.parts += [torch.optim.AdamW(others, lr=options["lr"])] if others else []
        super().__init__([weight for group in groups for weight in group["params"]], {})
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self, closure=None):
        with torch.enable_grad():
            value = closure() if closure else None
        for part in self.parts:
            part.step()
        return value
