/* The day of a time since 1970-01-01. */
static double day(double days)
{
    return floor(days) + floor(seconds(days) / 86400.0);
}
