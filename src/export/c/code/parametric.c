/* x + weight (function(x) - x) of each unit. */
static void parametric(float (*function)(float), const float *weight, int count, float *x)
{
    for (int i = 0; i < count; i++)
        x[i] += weight[i] * (function(x[i]) - x[i]);
}
