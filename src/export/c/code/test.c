#ifdef TEST
#include <stdio.h>

/*rows*/int main(void)
{
    double largest[OUTPUTS] = {0.0}, worst = 0.0;
    int wrong = 0;
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < OUTPUTS; i++)
            largest[i] = fmax(largest[i], fabs((double)expected[row][i]));
    for (int row = 0; row < ROWS; row++) {
        float out[OUTPUTS];
        predict(&rows[row], out);
        for (int i = 0; i < OUTPUTS; i++) {
            float wanted = expected[row][i];
            if (out[i] == wanted || (isnan(out[i]) && isnan(wanted)))
                continue;
            double difference = fabs((double)out[i] - (double)wanted) / largest[i];
            worst = difference <= worst ? worst : isnan(difference) ? (double)INFINITY : difference;
        }
/*labels*/    }
    printf("largest relative difference %.1e, %d labels differ\n", worst, wrong);
    return worst <= 1e-5 && wrong == 0 ? 0 : 1;
}
#endif
