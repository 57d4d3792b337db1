/* One direction of an LSTM over (steps, features), as torch.nn.LSTM; the states go to (steps, width). */
static void lstm(const matrix *ih, const matrix *hh, int backward, int steps, const float *xs, int width, float *states)
{
    int hidden = hh->columns;
    float state[HIDDEN] = {0.0f}, cell[HIDDEN] = {0.0f}, next[HIDDEN];
    for (int step = 0; step < steps; step++) {
        int t = backward ? steps - 1 - step : step;
        const float *x = xs + (long)t * ih->columns;
        for (int i = 0; i < hidden; i++) {
            float input = sigmoid(product(ih, i, x) + product(hh, i, state));
            float forget = sigmoid(product(ih, hidden + i, x) + product(hh, hidden + i, state));
            float candidate = tanhf(product(ih, 2 * hidden + i, x) + product(hh, 2 * hidden + i, state));
            float output = sigmoid(product(ih, 3 * hidden + i, x) + product(hh, 3 * hidden + i, state));
            cell[i] = forget * cell[i] + input * candidate;
            next[i] = output * tanhf(cell[i]);
        }
        for (int i = 0; i < hidden; i++)
            state[i] = states[(long)t * width + i] = next[i];
    }
}
