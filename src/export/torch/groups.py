def groups(model):
    """The parameters with the options of their groups: each belongs to the first whose pattern matches its name."""
    found = [{"params": [], **options} for _, _, options in GROUPS] + [{"params": []}]
    for name, parameter in model.named_parameters():
        matching = (place for place, group in enumerate(GROUPS) if fnmatch.fnmatchcase(name, group[0]))
        place = next(matching, len(GROUPS))
        if place < len(GROUPS) and GROUPS[place][1]:
            parameter.requires_grad_(False)
        else:
            found[place]["params"].append(parameter)
    return [group for group in found if group["params"]]
