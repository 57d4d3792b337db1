/* y = W x + b */
static void linear(const matrix *m, const float *x, float *y)
{
    for (int row = 0; row < m->rows; row++)
        y[row] = product(m, row, x);
}
