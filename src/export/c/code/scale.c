/* Each number times its own factor. */
static void scale(const float *factor, int count, float *x)
{
    for (int i = 0; i < count; i++)
        x[i] *= factor[i];
}
