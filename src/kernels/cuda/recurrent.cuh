// Steps of recurrent layers over a batch of n rows. What the input gives, x W_ihᵀ, is in `z`; what the state gives,
// h W_hhᵀ, in `from`, which is null at the first step. See recurrent/.
//
// The cells are written once, for an element `at` of (n, hidden). A kernel runs a step of them behind the product of the state,
// which cuBLAS makes; or, where the weight is small, all steps, each block for some rows that it makes the products of by
// itself: a step then costs no launch.

__device__ __forceinline__ void NAMED(elman_cell)(u64 at, REAL *h, const REAL *from, const REAL *b_ih, const REAL *b_hh,
                                                  u64 hidden, int act) {
    u64 k = at % hidden;
    h[at] = activated(act, h[at] + (b_ih[k] + b_hh[k]) + (from ? from[at] : REAL(0)));
}

// dz = (grad + from) · slope
__device__ __forceinline__ void NAMED(elman_cell_back)(u64 at, REAL *dz, const REAL *grad, const REAL *from, const REAL *h,
                                                       int act) {
    dz[at] = (grad[at] + (from ? from[at] : REAL(0))) * slope(act, h[at], h[at]);
}

// Gates i, f, g, o in the place of their arguments; memory and state.
__device__ __forceinline__ void NAMED(lstm_cell)(u64 at, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh,
                                                 const REAL *before, REAL *c, REAL *h, u64 hidden) {
    u64 k = at % hidden, row = at / hidden * 4 * hidden;
    REAL gates[4];
    for (int gate = 0; gate < 4; gate++) {
        u64 place = row + gate * hidden + k;
        u64 bias = gate * hidden + k;
        REAL x = z[place] + (b_ih[bias] + b_hh[bias]) + (from ? from[place] : REAL(0));
        gates[gate] = gate == 2 ? hyperbolic_tangent(x) : sigmoid(x);
        z[place] = gates[gate];
    }
    REAL memory = gates[1] * (before ? before[at] : REAL(0)) + gates[0] * gates[2];
    c[at] = memory;
    h[at] = gates[3] * hyperbolic_tangent(memory);
}

__device__ __forceinline__ void NAMED(lstm_cell_back)(u64 at, REAL *dz, REAL *dc, const REAL *grad, const REAL *from,
                                                      const REAL *gates, const REAL *before, const REAL *c, u64 hidden) {
    const REAL one = REAL(1);
    u64 row = at / hidden * 4 * hidden + at % hidden;
    REAL i = gates[row], f = gates[row + hidden], g = gates[row + 2 * hidden], o = gates[row + 3 * hidden];
    REAL dh = grad[at] + (from ? from[at] : REAL(0));
    REAL tanh_c = hyperbolic_tangent(c[at]);
    REAL memory = dc[at] + dh * o * (one - tanh_c * tanh_c);
    dz[row] = memory * g * i * (one - i);
    dz[row + hidden] = memory * (before ? before[at] : REAL(0)) * f * (one - f);
    dz[row + 2 * hidden] = memory * i * (one - g * g);
    dz[row + 3 * hidden] = dh * tanh_c * o * (one - o);
    dc[at] = memory * f;
}

// Gates r, z, n in the place of what the input gave; `kept` is what the state gave to n.
__device__ __forceinline__ void NAMED(gru_cell)(u64 at, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh,
                                                const REAL *before, REAL *kept, REAL *h, u64 hidden) {
    u64 k = at % hidden, row = at / hidden * 3 * hidden + k;
    REAL input[3], state[3];
    for (int gate = 0; gate < 3; gate++) {
        input[gate] = z[row + gate * hidden] + b_ih[gate * hidden + k];
        state[gate] = (from ? from[row + gate * hidden] : REAL(0)) + b_hh[gate * hidden + k];
    }
    REAL reset = sigmoid(input[0] + state[0]), update = sigmoid(input[1] + state[1]);
    REAL fresh = hyperbolic_tangent(input[2] + reset * state[2]);
    z[row] = reset;
    z[row + hidden] = update;
    z[row + 2 * hidden] = fresh;
    kept[at] = state[2];
    h[at] = fresh + update * ((before ? before[at] : REAL(0)) - fresh);
}

// The gradients of what the input and the state gave, and what of the state's goes directly to the state before.
__device__ __forceinline__ void NAMED(gru_cell_back)(u64 at, REAL *input, REAL *state, REAL *direct, const REAL *grad,
                                                     const REAL *from, const REAL *gates, const REAL *kept,
                                                     const REAL *before, u64 hidden) {
    const REAL one = REAL(1);
    u64 row = at / hidden * 3 * hidden + at % hidden;
    REAL reset = gates[row], update = gates[row + hidden], fresh = gates[row + 2 * hidden];
    REAL dh = grad[at] + direct[at] + (from ? from[at] : REAL(0));
    REAL dn = dh * (one - update) * (one - fresh * fresh);
    REAL dr = dn * kept[at] * reset * (one - reset);
    REAL du = dh * ((before ? before[at] : REAL(0)) - fresh) * update * (one - update);
    input[row] = dr;
    input[row + hidden] = du;
    input[row + 2 * hidden] = dn;
    state[row] = dr;
    state[row + hidden] = du;
    state[row + 2 * hidden] = dn * reset;
    direct[at] = dh * update;
}

KERNEL_OF(elman_step, REAL *h, const REAL *from, const REAL *b_ih, const REAL *b_hh, u64 n, u64 hidden, int act) {
    EACH(at, n * hidden) NAMED(elman_cell)(at, h, from, b_ih, b_hh, hidden, act);
}

KERNEL_OF(elman_back, REAL *dz, const REAL *grad, const REAL *from, const REAL *h, u64 count, int act) {
    EACH(at, count) NAMED(elman_cell_back)(at, dz, grad, from, h, act);
}

KERNEL_OF(lstm_step, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh, const REAL *before, REAL *c,
          REAL *h, u64 n, u64 hidden) {
    EACH(at, n * hidden) NAMED(lstm_cell)(at, z, from, b_ih, b_hh, before, c, h, hidden);
}

KERNEL_OF(lstm_back, REAL *dz, REAL *dc, const REAL *grad, const REAL *from, const REAL *gates, const REAL *before,
          const REAL *c, u64 n, u64 hidden) {
    EACH(at, n * hidden) NAMED(lstm_cell_back)(at, dz, dc, grad, from, gates, before, c, hidden);
}

KERNEL_OF(gru_step, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh, const REAL *before, REAL *kept,
          REAL *h, u64 n, u64 hidden) {
    EACH(at, n * hidden) NAMED(gru_cell)(at, z, from, b_ih, b_hh, before, kept, h, hidden);
}

KERNEL_OF(gru_back, REAL *input, REAL *state, REAL *direct, const REAL *grad, const REAL *from, const REAL *gates,
          const REAL *kept, const REAL *before, u64 n, u64 hidden) {
    EACH(at, n * hidden) NAMED(gru_cell_back)(at, input, state, direct, grad, from, gates, kept, before, hidden);
}

// out ← xs w for the block's rows: (rows, inner) and (inner, width). What a block wrote before, it sees behind a barrier.
__device__ __forceinline__ void NAMED(times)(REAL *out, const REAL *xs, const REAL *w, Steps own, u64 inner, u64 width) {
    __syncthreads();
    for (u64 at = own.first * width + threadIdx.x; at < own.end * width; at += blockDim.x) {
        const REAL *row = xs + at / width * inner, *column = w + at % width;
        REAL sums[4] = {};
        u64 j = 0;
        for (; j + 4 <= inner; j += 4) {
            for (u64 k = 0; k < 4; k++) sums[k] += row[j + k] * column[(j + k) * width];
        }
        for (; j < inner; j++) sums[0] += row[j] * column[j * width];
        out[at] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
    __syncthreads();
}

// All steps forward; w is W_hhᵀ, (hidden, gates · hidden), and `from` room for a step's product.
KERNEL_OF(elman_steps, REAL *hs, REAL *from, const REAL *w, const REAL *b_ih, const REAL *b_hh, u64 count, u64 n,
          u64 hidden, u64 rows, int reverse, int act) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = 0; i < count; i++) {
        REAL *h = hs + own.at(i) * n * hidden;
        if (i > 0) NAMED(times)(from, hs + own.at(i - 1) * n * hidden, w, own, hidden, hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(elman_cell)(at, h, i > 0 ? from : nullptr, b_ih, b_hh, hidden, act);
    }
}

KERNEL_OF(lstm_steps, REAL *zs, REAL *from, const REAL *w, const REAL *b_ih, const REAL *b_hh, REAL *cs, REAL *hs,
          u64 count, u64 n, u64 hidden, u64 rows, int reverse) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = 0; i < count; i++) {
        u64 step = own.at(i) * n * hidden, before = i > 0 ? own.at(i - 1) * n * hidden : 0;
        if (i > 0) NAMED(times)(from, hs + before, w, own, hidden, 4 * hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(lstm_cell)(at, zs + 4 * step, i > 0 ? from : nullptr, b_ih, b_hh, i > 0 ? cs + before : nullptr,
                             cs + step, hs + step, hidden);
    }
}

KERNEL_OF(gru_steps, REAL *zs, REAL *from, const REAL *w, const REAL *b_ih, const REAL *b_hh, REAL *kept, REAL *hs,
          u64 count, u64 n, u64 hidden, u64 rows, int reverse) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = 0; i < count; i++) {
        u64 step = own.at(i) * n * hidden, before = i > 0 ? own.at(i - 1) * n * hidden : 0;
        if (i > 0) NAMED(times)(from, hs + before, w, own, hidden, 3 * hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(gru_cell)(at, zs + 3 * step, i > 0 ? from : nullptr, b_ih, b_hh, i > 0 ? hs + before : nullptr,
                            kept + step, hs + step, hidden);
    }
}

// All steps back; w is W_hh, (gates · hidden, hidden).
KERNEL_OF(elman_steps_back, REAL *dz, REAL *from, const REAL *w, const REAL *grad, const REAL *hs, u64 count, u64 n,
          u64 hidden, u64 rows, int reverse, int act) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = count; i-- > 0;) {
        u64 step = own.at(i) * n * hidden;
        bool last = i + 1 == count;
        if (!last) NAMED(times)(from, dz + own.at(i + 1) * n * hidden, w, own, hidden, hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(elman_cell_back)(at, dz + step, grad + step, last ? nullptr : from, hs + step, act);
    }
}

KERNEL_OF(lstm_steps_back, REAL *dz, REAL *dc, REAL *from, const REAL *w, const REAL *grad, const REAL *gates,
          const REAL *cs, u64 count, u64 n, u64 hidden, u64 rows, int reverse) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = count; i-- > 0;) {
        u64 step = own.at(i) * n * hidden;
        bool last = i + 1 == count;
        if (!last) NAMED(times)(from, dz + 4 * own.at(i + 1) * n * hidden, w, own, 4 * hidden, hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(lstm_cell_back)(at, dz + 4 * step, dc, grad + step, last ? nullptr : from, gates + 4 * step,
                                  i > 0 ? cs + own.at(i - 1) * n * hidden : nullptr, cs + step, hidden);
    }
}

KERNEL_OF(gru_steps_back, REAL *input, REAL *state, REAL *direct, REAL *from, const REAL *w, const REAL *grad,
          const REAL *gates, const REAL *kept, const REAL *hs, u64 count, u64 n, u64 hidden, u64 rows, int reverse) {
    Steps own = own_steps(count, n, hidden, rows, reverse);
    for (u64 i = count; i-- > 0;) {
        u64 step = own.at(i) * n * hidden;
        bool last = i + 1 == count;
        if (!last) NAMED(times)(from, state + 3 * own.at(i + 1) * n * hidden, w, own, 3 * hidden, hidden);
        for (u64 at = own.from(); at < own.to(); at += blockDim.x)
            NAMED(gru_cell_back)(at, input + 3 * step, state + 3 * step, direct, grad + step, last ? nullptr : from,
                                 gates + 3 * step, kept + step, i > 0 ? hs + own.at(i - 1) * n * hidden : nullptr, hidden);
    }
}
