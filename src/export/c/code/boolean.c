/* Yes and no as numbers; all else is missing. */
static double boolean(int flag)
{
    return flag == 0 || flag == 1 ? (double)flag : (double)NAN;
}
