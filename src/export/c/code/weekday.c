/* The day of the week of a time in days since 1970-01-01, a Thursday; 0 is Monday. */
static double weekday(double days)
{
    double since_monday = day(days) + 3.0;
    return since_monday - 7.0 * floor(since_monday / 7.0);
}
