    if isinstance(model, Model):
        # Each member by itself, as the run did; there each was trained without another fold of the rows.
        for name, member in model.named_children():
            print(name)
            train(member, inputs, targets, epochs)
        return
