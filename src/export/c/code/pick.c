/* The numbers in these places. */
static void pick(const int *place, int count, const float *x, float *y)
{
    for (int i = 0; i < count; i++)
        y[i] = x[place[i]];
}
