/* The whole seconds since midnight of a time in days since 1970-01-01, which is exact to the microsecond; 86400 where it is
 * rounded up to the next day. */
static double seconds(double days)
{
    return floor(rint((days - floor(days)) * 86400e6) / 1e6);
}
