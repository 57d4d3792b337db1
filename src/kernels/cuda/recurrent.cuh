// Steps of recurrent layers over a batch of n rows. What the input gives, x W_ihᵀ, is in `z`; what the state gives,
// h W_hhᵀ, in `from`, which is null at the first step. See recurrent/.

KERNEL_OF(elman_step, REAL *h, const REAL *from, const REAL *b_ih, const REAL *b_hh, u64 n, u64 hidden, int act) {
    EACH(i, n * hidden) {
        u64 k = i % hidden;
        h[i] = activated(act, h[i] + (b_ih[k] + b_hh[k]) + (from ? from[i] : REAL(0)));
    }
}

// dz = (grad + from) · slope
KERNEL_OF(elman_back, REAL *dz, const REAL *grad, const REAL *from, const REAL *h, u64 count, int act) {
    EACH(i, count) dz[i] = (grad[i] + (from ? from[i] : REAL(0))) * slope(act, h[i], h[i]);
}

// Gates i, f, g, o in the place of their arguments; memory and state.
KERNEL_OF(lstm_step, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh, const REAL *before, REAL *c,
          REAL *h, u64 n, u64 hidden) {
    EACH(at, n * hidden) {
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
}

KERNEL_OF(lstm_back, REAL *dz, REAL *dc, const REAL *grad, const REAL *from, const REAL *gates, const REAL *before,
          const REAL *c, u64 n, u64 hidden) {
    EACH(at, n * hidden) {
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
}

// Gates r, z, n in the place of what the input gave; `kept` is what the state gave to n.
KERNEL_OF(gru_step, REAL *z, const REAL *from, const REAL *b_ih, const REAL *b_hh, const REAL *before, REAL *kept,
          REAL *h, u64 n, u64 hidden) {
    EACH(at, n * hidden) {
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
}

// The gradients of what the input and the state gave, and what of the state's goes directly to the state before.
KERNEL_OF(gru_back, REAL *input, REAL *state, REAL *direct, const REAL *grad, const REAL *from, const REAL *gates,
          const REAL *kept, const REAL *before, u64 n, u64 hidden) {
    EACH(at, n * hidden) {
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
}
