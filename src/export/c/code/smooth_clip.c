/* A number within -3 and 3. */
static double smooth_clip(double x)
{
    return x / sqrt(1.0 + (x / 3.0) * (x / 3.0));
}
