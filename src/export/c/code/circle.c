/* The sine and the cosine of a place on a circle, in turns. */
static void circle(double turns, float *x)
{
    double angle = 6.283185307179586 * turns;
    x[0] = (float)sin(angle);
    x[1] = (float)cos(angle);
}
