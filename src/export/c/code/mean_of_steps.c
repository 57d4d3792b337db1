/* (steps, width) to (width). */
static void mean_of_steps(const float *xs, int steps, int width, float *y)
{
    for (int i = 0; i < width; i++) {
        float sum = 0.0f;
        for (int step = 0; step < steps; step++)
            sum += xs[(long)step * width + i];
        y[i] = sum / (float)steps;
    }
}
