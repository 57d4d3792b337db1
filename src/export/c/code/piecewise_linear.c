/* Embeds each number by the part of each of its bins that lies below it, times the bin's weights. The first and the last bin
   go on beyond the edges; a slope of 0 is no bin. */
static void piecewise_linear(const int *place, int features, int bins, int width, const float *slope, const float *offset,
                             const float *weight, const float *bias, const float *x, float *y)
{
    for (int f = 0; f < features; f++, y += width) {
        int is_first = 1;
        for (int i = 0; i < width; i++)
            y[i] = bias ? bias[f * width + i] : 0.0f;
        for (int b = 0; b < bins; b++, slope++, offset++, weight += width) {
            float part = x[place[f]] * *slope + *offset;
            if (*slope == 0.0f)
                continue;
            if (!is_first && part < 0.0f)
                part = 0.0f;
            if (b + 1 < bins && part > 1.0f)
                part = 1.0f;
            is_first = 0;
            for (int i = 0; i < width; i++)
                y[i] += part * weight[i];
        }
    }
}
