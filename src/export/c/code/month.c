/* The month of a time in days since 1970-01-01, from 0: Howard Hinnant's civil_from_days, with years that begin in March. */
static double month(double days)
{
    double z = day(days) + 719468.0;
    double day_of_era = z - 146097.0 * floor(z / 146097.0);
    double leap = floor(day_of_era / 1460.0) - floor(day_of_era / 36524.0) + floor(day_of_era / 146096.0);
    double year = floor((day_of_era - leap) / 365.0);
    double day_of_year = day_of_era - (365.0 * year + floor(year / 4.0) - floor(year / 100.0));
    return fmod(floor((5.0 * day_of_year + 2.0) / 153.0) + 2.0, 12.0);
}
