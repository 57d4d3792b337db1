/* The second of the day of a time in days since 1970-01-01. */
static double second(double days)
{
    return fmod(seconds(days), 86400.0);
}
