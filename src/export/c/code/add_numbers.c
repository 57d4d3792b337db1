/* Adds to the embedding of each number a linear one. */
static void add_numbers(const int *place, int features, int width, const float *weight, const float *bias, const float *x,
                        float *y)
{
    for (int f = 0; f < features; f++)
        for (int i = f * width; i < (f + 1) * width; i++)
            y[i] += x[place[f]] * weight[i] + bias[i];
}
