/* A missing number as this value. */
static double filled(double x, double value)
{
    return isnan(x) ? value : x;
}
