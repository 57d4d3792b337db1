static float gelu(float x)
{
    return x * (0.5f * erff(x * 0.70710678f) + 0.5f);
}
