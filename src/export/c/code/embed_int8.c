/* The vector of a name, which is counted from 1; 0 and all else is unknown. */
static void embed(const matrix *table, int name, float *x)
{
    int row = name > 0 && name < table->rows ? name : 0;
    for (int i = 0; i < table->columns; i++)
        x[i] = (float)table->weights[(long)row * table->columns + i] * table->scale[row];
}
