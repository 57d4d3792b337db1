static void layer_norm(const float *weight, const float *bias, float eps, int count, float *x)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < count; i++)
        mean += x[i];
    mean /= (float)count;
    for (int i = 0; i < count; i++)
        variance += (x[i] - mean) * (x[i] - mean);
    float spread = sqrtf(variance / (float)count + eps);
    for (int i = 0; i < count; i++)
        x[i] = (x[i] - mean) / spread * weight[i] + bias[i];
}
