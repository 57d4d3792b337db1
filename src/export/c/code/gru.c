/* One direction of a GRU over (steps, features), as torch.nn.GRU; the states go to (steps, width). */
static void gru(const matrix *ih, const matrix *hh, int backward, int steps, const float *xs, int width, float *states)
{
    int hidden = hh->columns;
    float state[HIDDEN] = {0.0f}, next[HIDDEN];
    for (int step = 0; step < steps; step++) {
        int t = backward ? steps - 1 - step : step;
        const float *x = xs + (long)t * ih->columns;
        for (int i = 0; i < hidden; i++) {
            float reset = sigmoid(product(ih, i, x) + product(hh, i, state));
            float update = sigmoid(product(ih, hidden + i, x) + product(hh, hidden + i, state));
            float candidate = tanhf(product(ih, 2 * hidden + i, x) + reset * product(hh, 2 * hidden + i, state));
            next[i] = (1.0f - update) * candidate + update * state[i];
        }
        for (int i = 0; i < hidden; i++)
            state[i] = states[(long)t * width + i] = next[i];
    }
}
