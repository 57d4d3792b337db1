static float elu(float x)
{
    return x > 0.0f ? x : expm1f(x);
}
