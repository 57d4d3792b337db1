def train(model, inputs, targets, epochs=EPOCHS):
    """Goes on training on what `preprocess` gives, and targets as the loss reads them; rows whose target is NaN are left out."""
    # MEMBERS
    inputs, targets = torch.as_tensor(inputs), torch.as_tensor(targets)
    known = ~targets.isnan().reshape(len(targets), -1).any(1)
    if not known.any():
        raise ValueError("no row has a target")
    inputs, targets = inputs[known], targets[known]
    steps = len(range(0, len(inputs), BATCH_SIZE or len(inputs)))
    loss_of, opt = loss(), optimizer(model)
    plan = scheduler(opt, epochs * steps if PER_STEP else epochs)
    step = 0
    model.train()
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(inputs)) if SHUFFLE else torch.arange(len(inputs))
        for rows in order.split(BATCH_SIZE or len(inputs)):

            def closure():
                opt.zero_grad()
                value = loss_of(model(inputs[rows]), targets[rows])
                value.backward()
                if CLIP_GRAD_NORM:
                    nn.utils.clip_grad_norm_(model.parameters(), CLIP_GRAD_NORM)
                if CLIP_GRAD_VALUE:
                    nn.utils.clip_grad_value_(model.parameters(), CLIP_GRAD_VALUE)
                return value

            step += 1
            rates = [group["lr"] for group in opt.param_groups]
            for group, rate in zip(opt.param_groups, rates):
                group["lr"] = rate * min(1.0, step / max(WARMUP_STEPS, 1))
            total += float(opt.step(closure).detach()) * len(rows)
            for group, rate in zip(opt.param_groups, rates):
                group["lr"] = rate
            if plan is not None and PER_STEP:
                plan.step()
        if isinstance(plan, torch.optim.lr_scheduler.ReduceLROnPlateau):
            plan.step(total / len(inputs))
        elif plan is not None and not PER_STEP:
            plan.step()
        print(f"epoch {epoch + 1}: loss {total / len(inputs):.6f}")
    model.eval()


def load():
    """The model with the run's best weights."""
    model = Model()
    model.load_state_dict(load_file(FOLDER / "model.safetensors"))
    return model.eval()


def predict(data, model=None):
    """The outputs for raw rows, by name."""
    with torch.no_grad():
        return outputs((model or load())(torch.from_numpy(preprocess(data))))


def check():
    """The largest difference, relative to the largest number of an output, between this file's and descent's answers."""
    with np.load(FOLDER / "test_batch.npz") as file:
        batch = dict(file)
    with torch.no_grad():
        answers = outputs(load()(torch.from_numpy(test_inputs(batch))))
    worst = 0.0
    for name, answer in answers.items():
        expected = batch[name]
        if expected.dtype.kind in "Ui":
            worst = worst if (answer.astype(str) == expected.astype(str)).all() else float("inf")
        else:
            worst = max(worst, float(np.abs(answer - expected).max() / max(np.abs(expected).max(), 1e-30)))
    return worst


if __name__ == "__main__":
    difference = check()
    print(f"largest difference to descent's answers: {difference:.1e}")
    raise SystemExit(0 if difference <= 1e-5 else 1)
