def mean_of_members(loss):
    """The mean of the members' losses."""
    return lambda x, y: torch.stack([loss(values, y) for values in x.unbind(1)]).mean()
