/* One direction of an RNN over (steps, features), as torch.nn.RNN; the states go to (steps, width). */
static void elman(const matrix *ih, const matrix *hh, float (*function)(float), int backward, int steps, const float *xs,
                  int width, float *states)
{
    float state[HIDDEN] = {0.0f}, next[HIDDEN];
    for (int step = 0; step < steps; step++) {
        int t = backward ? steps - 1 - step : step;
        const float *x = xs + (long)t * ih->columns;
        for (int i = 0; i < hh->columns; i++)
            next[i] = function(product(ih, i, x) + product(hh, i, state));
        for (int i = 0; i < hh->columns; i++)
            state[i] = states[(long)t * width + i] = next[i];
    }
}
