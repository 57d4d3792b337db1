/* The second of the day of a time in days since 1970-01-01, which is exact to the microsecond. */
static double second(double days)
{
    double seconds = floor(rint((days - floor(days)) * 86400e6) / 1e6);
    return fmod(seconds, 86400.0);
}
