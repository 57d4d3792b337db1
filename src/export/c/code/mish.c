static float mish(float x)
{
    float softplus = x > 20.0f ? x : log1pf(expf(x));
    return x * tanhf(softplus);
}
