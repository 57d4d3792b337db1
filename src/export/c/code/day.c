/* The day since 1970-01-01; what is rounded up to midnight is of the next one. */
static double day(double days)
{
    return floor(days) + floor(floor(rint((days - floor(days)) * 86400e6) / 1e6) / 86400.0);
}
