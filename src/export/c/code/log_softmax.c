static void log_softmax(int count, float *x)
{
    float largest = x[0], sum = 0.0f;
    for (int i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (int i = 0; i < count; i++)
        sum += expf(x[i] - largest);
    for (int i = 0; i < count; i++)
        x[i] -= largest + logf(sum);
}
