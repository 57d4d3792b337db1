/* The product of a row of the matrix with x, and the bias. Four sums are quicker than one, and rounded less. */
static float product(const matrix *m, int row, const float *x)
{
    const int8_t *w = m->weights + (long)row * m->columns;
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    int i = 0;
    for (; i + 4 <= m->columns; i += 4) {
        sums[0] += (float)w[i] * x[i];
        sums[1] += (float)w[i + 1] * x[i + 1];
        sums[2] += (float)w[i + 2] * x[i + 2];
        sums[3] += (float)w[i + 3] * x[i + 3];
    }
    for (; i < m->columns; i++)
        sums[0] += (float)w[i] * x[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) * m->scale[row] + m->bias[row];
}
