MASKS = []


def hand_over_masks(model):
    """Each dropout layer multiplies by the mask that descent drew."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Dropout)]
    for place, layer in enumerate(layers):
        layer.forward = lambda x, place=place: x * MASKS[place].reshape(x.shape)


def values(model, x, masks):
    """The network's values for the rows of an update, batch by batch, as BatchNorm sees them."""
    parts = []
    for start in range(0, len(x), BATCH_SIZE or len(x)):
        rows = slice(start, start + (BATCH_SIZE or len(x)))
        MASKS[:] = [mask[rows] for mask in masks]
        parts.append(model(x[rows]))
    return torch.cat(parts)


def update(step, model, opt, loss_of, x, y, masks):
    """Makes an update; gives its loss."""

    def closure():
        opt.zero_grad()
        value = loss_of(values(model, x, masks), y)
        value.backward()
        if CLIP_GRAD_NORM:
            nn.utils.clip_grad_norm_(model.parameters(), CLIP_GRAD_NORM)
        if CLIP_GRAD_VALUE:
            nn.utils.clip_grad_value_(model.parameters(), CLIP_GRAD_VALUE)
        return value

    rates = [group["lr"] for group in opt.param_groups]
    for group, rate in zip(opt.param_groups, rates):
        group["lr"] = rate * min(1.0, step / max(WARMUP_STEPS, 1))
    value = opt.step(closure).detach()
    for group, rate in zip(opt.param_groups, rates):
        group["lr"] = rate
    return value


def end_epoch(epoch, monitored, plan, average, model):
    """Steps a schedule of epochs, and an average of their ends."""
    if average is not None and AVERAGE_FROM and epoch >= AVERAGE_FROM:
        average.update_parameters(model)
    if isinstance(plan, torch.optim.lr_scheduler.ReduceLROnPlateau):
        plan.step(monitored)
    elif plan is not None and not PER_STEP:
        plan.step()


class Difference:
    """The element of a tensor that differs most."""

    def __init__(self, name, ours, theirs):
        ours, theirs = np.atleast_1d(np.asarray(ours, np.float64)), np.atleast_1d(np.asarray(theirs, np.float64))
        if ours.shape != theirs.shape:
            raise ValueError(f"{name} is {ours.shape} in descent and {theirs.shape} here")
        apart = np.where(np.isnan(ours) & np.isnan(theirs), 0.0, np.nan_to_num(np.abs(ours - theirs), nan=np.inf))
        self.name, self.place = name, np.unravel_index(apart.argmax(), apart.shape)
        self.ours, self.theirs, self.apart = ours[self.place], theirs[self.place], apart[self.place]
        self.relative = float(self.apart / max(np.abs(theirs).max(), FLOOR))

    def __str__(self):
        place = ", ".join(map(str, self.place))
        of = f"the {self.name}" if self.name == "loss" else f"`{self.name}`[{place}]"
        return f"{of} is {self.ours:.17g} in descent and {self.theirs:.17g} in PyTorch"


def compare(step, data, loss, model, average):
    """The differences of all tensors after an update, in the model's order."""
    theirs = {"loss": loss, **model.state_dict()}
    if average is not None:
        theirs |= average.state_dict()
    found = []
    for name, tensor in theirs.items():
        if f"{step}/{name}" in data:
            found.append(Difference(name, data[f"{step}/{name}"], tensor.numpy()))
    return found


def main():
    torch.manual_seed(0)
    data = np.load(FOLDER / "verify.npz")
    model = Model()
    start = [name for name in data.files if name.startswith("0/")]
    model.load_state_dict({name[2:]: torch.from_numpy(data[name]) for name in start}, strict=True)
    loss_of, opt, average = loss(), optimizer(model), averaged(model)
    plan = scheduler(opt, None)
    model.train()
    hand_over_masks(model)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    epoch, worst = 1, None
    for step in range(1, STEPS + 1):
        rows = torch.from_numpy(data[f"{step}/rows"])
        masks = [torch.from_numpy(data[f"{step}/kept/{place}"]).to(x.dtype) * (1 / (1 - p) if p < 1 else 0.0)
                 for place, p in enumerate(DROPOUT)]
        value = update(step, model, opt, loss_of, x[rows], y[rows], masks)
        if average is not None and not AVERAGE_FROM:
            average.update_parameters(model)
        differences = compare(step, data, value, model, average)
        beyond = [difference for difference in differences if not difference.relative <= TOLERANCE]
        if beyond:
            report(step, beyond, worst)
            return 1
        largest = max(differences, key=lambda difference: difference.relative)
        if worst is None or largest.relative >= worst[1].relative:
            worst = step, largest
        if plan is not None and PER_STEP:
            plan.step()
        if step in EPOCH_ENDS:
            end_epoch(epoch, EPOCH_ENDS[step], plan, average, model)
            epoch += 1
    step, largest = worst
    dtype = str(torch.get_default_dtype()).removeprefix("torch.")
    print(f"{STEPS} {'step agrees' if STEPS == 1 else 'steps agree'} with PyTorch {torch.__version__} in {dtype}: the largest difference is "
          f"{largest.relative:.1e} of the tensor's largest value (`{largest.name}` at step {step}); the tolerance is {TOLERANCE:g}")
    return 0


def report(step, beyond, worst):
    """Says what differs at the first step that does."""
    first, more = beyond[0], f", as do {len(beyond) - 1} more" if len(beyond) > 1 else ""
    print(f"step {step} differs: {first}")
    print(f"this is the largest difference of the tensor: {first.apart:.3g}, {first.relative:.1e} of its largest value{more}; the "
          f"tolerance is {TOLERANCE:g}")
    if worst:
        print(f"the {step - 1} before agree{'s' if step == 2 else ''} to {worst[1].relative:.1e}")


if __name__ == "__main__":
    try:
        code = main()
    except Exception:
        traceback.print_exc()
        code = 3
    sys.exit(code)
