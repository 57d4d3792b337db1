/* A function of every element. */
static void apply(float (*function)(float), int count, float *x)
{
    for (int i = 0; i < count; i++)
        x[i] = function(x[i]);
}
