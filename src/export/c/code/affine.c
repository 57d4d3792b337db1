/* x * factor + term of each channel: BatchNorm. */
static void affine(const float *factor, const float *term, int count, float *x)
{
    for (int i = 0; i < count; i++)
        x[i] = x[i] * factor[i] + term[i];
}
