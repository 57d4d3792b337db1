/* A 1 in the place of a name, which is counted from 1; none for another. */
static void one_hot(int name, int names, float *x)
{
    for (int i = 0; i < names; i++)
        x[i] = i + 1 == name ? 1.0f : 0.0f;
}
