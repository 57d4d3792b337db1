static void softmax(int count, float *x)
{
    float largest = x[0], sum = 0.0f;
    for (int i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (int i = 0; i < count; i++)
        sum += x[i] = expf(x[i] - largest);
    for (int i = 0; i < count; i++)
        x[i] /= sum;
}
