// Generated from the optimizers' formulas by `make rules`.
// Each kernel's name ends in a hash of its operations; c has the constants in the order of the formula.

// adadelta
RULE(update_adadelta_88a22d84, 2,
    const REAL v5 = s[0] * REAL(c[0]);
    const REAL v6 = g * g;
    const REAL v8 = v6 * REAL(c[1]);
    const REAL v9 = v5 + v8;
    const REAL v11 = s[1] + REAL(c[2]);
    const REAL v12 = root(v11);
    const REAL v14 = v9 + REAL(c[3]);
    const REAL v15 = root(v14);
    const REAL v16 = v12 / v15;
    const REAL v17 = v16 * g;
    const REAL v19 = s[1] * REAL(c[4]);
    const REAL v20 = v17 * v17;
    const REAL v22 = v20 * REAL(c[5]);
    const REAL v23 = v19 + v22;
    const REAL v25 = v17 * REAL(c[6]);
    const REAL v26 = p - v25;
    p = v26;
    s[0] = v9;
    s[1] = v23;
)

// adagrad
RULE(update_adagrad_18254be3, 1,
    const REAL v3 = g * g;
    const REAL v4 = s[0] + v3;
    const REAL v5 = root(v4);
    const REAL v7 = v5 + REAL(c[0]);
    const REAL v8 = g / v7;
    const REAL v10 = v8 * REAL(c[1]);
    const REAL v11 = p - v10;
    p = v11;
    s[0] = v4;
)

// adam, adamw
RULE(update_adam_9057535a, 3,
    const REAL v5 = g - s[0];
    const REAL v7 = v5 * REAL(c[0]);
    const REAL v8 = s[0] + v7;
    const REAL v10 = s[1] * REAL(c[1]);
    const REAL v11 = g * g;
    const REAL v13 = v11 * REAL(c[2]);
    const REAL v14 = v10 + v13;
    const REAL v15 = larger(s[2], v14);
    const REAL v16 = root(v15);
    const REAL v18 = v16 * REAL(c[3]);
    const REAL v20 = v18 + REAL(c[4]);
    const REAL v21 = v8 / v20;
    const REAL v23 = v21 * REAL(c[5]);
    const REAL v24 = p - v23;
    p = v24;
    s[0] = v8;
    s[1] = v14;
    s[2] = v15;
)

// adam, adamw
RULE(update_adam_9ff78cc0, 2,
    const REAL v4 = g - s[0];
    const REAL v6 = v4 * REAL(c[0]);
    const REAL v7 = s[0] + v6;
    const REAL v9 = s[1] * REAL(c[1]);
    const REAL v10 = g * g;
    const REAL v12 = v10 * REAL(c[2]);
    const REAL v13 = v9 + v12;
    const REAL v14 = root(v13);
    const REAL v16 = v14 * REAL(c[3]);
    const REAL v18 = v16 + REAL(c[4]);
    const REAL v19 = v7 / v18;
    const REAL v21 = v19 * REAL(c[5]);
    const REAL v22 = p - v21;
    p = v22;
    s[0] = v7;
    s[1] = v13;
)

// adamax
RULE(update_adamax_b7753412, 2,
    const REAL v4 = g - s[0];
    const REAL v6 = v4 * REAL(c[0]);
    const REAL v7 = s[0] + v6;
    const REAL v9 = s[1] * REAL(c[1]);
    const REAL v10 = magnitude(g);
    const REAL v12 = v10 + REAL(c[2]);
    const REAL v13 = larger(v9, v12);
    const REAL v14 = v7 / v13;
    const REAL v16 = v14 * REAL(c[3]);
    const REAL v17 = p - v16;
    p = v17;
    s[0] = v7;
    s[1] = v13;
)

// asgd
RULE(update_asgd_e9cc0e28, 1,
    const REAL v4 = p * REAL(c[0]);
    const REAL v6 = g * REAL(c[1]);
    const REAL v7 = v4 - v6;
    const REAL v8 = v7 - s[0];
    const REAL v10 = v8 * REAL(c[2]);
    const REAL v11 = s[0] + v10;
    const REAL v13 = REAL(c[3]) != REAL(0) ? v11 : v7;
    p = v7;
    s[0] = v13;
)

// rules that look at more than one element
RULE(update_descend_a8a6508e, 0,
    const REAL v3 = g * REAL(c[0]);
    const REAL v4 = p - v3;
    p = v4;
)

// lamb
RULE(update_lamb_8ef34caf, 2,
    const REAL v4 = g - s[0];
    const REAL v6 = v4 * REAL(c[0]);
    const REAL v7 = s[0] + v6;
    const REAL v9 = s[1] * REAL(c[1]);
    const REAL v10 = g * g;
    const REAL v12 = v10 * REAL(c[2]);
    const REAL v13 = v9 + v12;
    const REAL v15 = v7 * REAL(c[3]);
    const REAL v17 = v13 * REAL(c[4]);
    const REAL v18 = root(v17);
    const REAL v20 = v18 + REAL(c[5]);
    const REAL v21 = v15 / v20;
    const REAL v23 = p * REAL(c[6]);
    const REAL v24 = v21 + v23;
    p = v24;
    s[0] = v7;
    s[1] = v13;
)

// lion
RULE(update_lion_2a4f33d2, 1,
    const REAL v4 = s[0] * REAL(c[0]);
    const REAL v6 = g * REAL(c[1]);
    const REAL v7 = v4 + v6;
    const REAL v10 = s[0] * REAL(c[3]);
    const REAL v12 = g * REAL(c[4]);
    const REAL v13 = v10 + v12;
    const REAL v14 = -(v7);
    const REAL v15 = -(REAL(c[2]));
    const REAL v17 = v14 > REAL(0) ? v15 : REAL(c[5]);
    const REAL v18 = v7 > REAL(0) ? REAL(c[2]) : v17;
    const REAL v19 = p - v18;
    p = v19;
    s[0] = v13;
)

// nadam
RULE(update_nadam_a1499ab6, 2,
    const REAL v4 = g - s[0];
    const REAL v6 = v4 * REAL(c[0]);
    const REAL v7 = s[0] + v6;
    const REAL v9 = s[1] * REAL(c[1]);
    const REAL v10 = g * g;
    const REAL v12 = v10 * REAL(c[2]);
    const REAL v13 = v9 + v12;
    const REAL v15 = v13 * REAL(c[3]);
    const REAL v16 = root(v15);
    const REAL v18 = v16 + REAL(c[4]);
    const REAL v20 = g * REAL(c[5]);
    const REAL v22 = v7 * REAL(c[6]);
    const REAL v23 = v20 + v22;
    const REAL v24 = v23 / v18;
    const REAL v25 = p - v24;
    p = v25;
    s[0] = v7;
    s[1] = v13;
)

// radam
RULE(update_radam_cb013bae, 2,
    const REAL v4 = g - s[0];
    const REAL v6 = v4 * REAL(c[0]);
    const REAL v7 = s[0] + v6;
    const REAL v9 = s[1] * REAL(c[1]);
    const REAL v10 = g * g;
    const REAL v12 = v10 * REAL(c[2]);
    const REAL v13 = v9 + v12;
    const REAL v15 = v7 * REAL(c[3]);
    const REAL v17 = v15 * REAL(c[4]);
    const REAL v18 = root(v13);
    const REAL v20 = v18 + REAL(c[5]);
    const REAL v21 = v17 / v20;
    const REAL v23 = REAL(c[6]) != REAL(0) ? v21 : v15;
    const REAL v24 = p - v23;
    p = v24;
    s[0] = v7;
    s[1] = v13;
)

// rmsprop
RULE(update_rmsprop_06deb38e, 1,
    const REAL v4 = s[0] * REAL(c[0]);
    const REAL v5 = g * g;
    const REAL v7 = v5 * REAL(c[1]);
    const REAL v8 = v4 + v7;
    const REAL v9 = root(v8);
    const REAL v11 = v9 + REAL(c[2]);
    const REAL v12 = g / v11;
    const REAL v14 = v12 * REAL(c[3]);
    const REAL v15 = p - v14;
    p = v15;
    s[0] = v8;
)

// rmsprop
RULE(update_rmsprop_1b6033be, 2,
    const REAL v5 = s[0] * REAL(c[0]);
    const REAL v6 = g * g;
    const REAL v8 = v6 * REAL(c[1]);
    const REAL v9 = v5 + v8;
    const REAL v10 = g - s[1];
    const REAL v12 = v10 * REAL(c[2]);
    const REAL v13 = s[1] + v12;
    const REAL v14 = v13 * v13;
    const REAL v15 = v9 - v14;
    const REAL v16 = root(v15);
    const REAL v18 = v16 + REAL(c[3]);
    const REAL v19 = g / v18;
    const REAL v21 = v19 * REAL(c[4]);
    const REAL v22 = p - v21;
    p = v22;
    s[0] = v9;
    s[1] = v13;
)

// rmsprop
RULE(update_rmsprop_1f6a318c, 2,
    const REAL v5 = s[0] * REAL(c[0]);
    const REAL v6 = g * g;
    const REAL v8 = v6 * REAL(c[1]);
    const REAL v9 = v5 + v8;
    const REAL v10 = root(v9);
    const REAL v12 = v10 + REAL(c[2]);
    const REAL v13 = g / v12;
    const REAL v15 = s[1] * REAL(c[3]);
    const REAL v16 = v15 + v13;
    const REAL v18 = REAL(c[4]) != REAL(0) ? v16 : v13;
    const REAL v20 = REAL(c[5]) != REAL(0) ? v18 : s[1];
    const REAL v22 = v18 * REAL(c[6]);
    const REAL v23 = p - v22;
    p = v23;
    s[0] = v9;
    s[1] = v20;
)

// rmsprop
RULE(update_rmsprop_e721b667, 3,
    const REAL v6 = s[0] * REAL(c[0]);
    const REAL v7 = g * g;
    const REAL v9 = v7 * REAL(c[1]);
    const REAL v10 = v6 + v9;
    const REAL v11 = g - s[1];
    const REAL v13 = v11 * REAL(c[2]);
    const REAL v14 = s[1] + v13;
    const REAL v15 = v14 * v14;
    const REAL v16 = v10 - v15;
    const REAL v17 = root(v16);
    const REAL v19 = v17 + REAL(c[3]);
    const REAL v20 = g / v19;
    const REAL v22 = s[2] * REAL(c[4]);
    const REAL v23 = v22 + v20;
    const REAL v25 = REAL(c[5]) != REAL(0) ? v23 : v20;
    const REAL v27 = REAL(c[6]) != REAL(0) ? v25 : s[2];
    const REAL v29 = v25 * REAL(c[7]);
    const REAL v30 = p - v29;
    p = v30;
    s[0] = v10;
    s[1] = v14;
    s[2] = v27;
)

// rprop
RULE(update_rprop_0009104b, 2,
    const REAL v6 = g * s[0];
    const REAL v9 = -(v6);
    const REAL v10 = v9 > REAL(0) ? REAL(c[2]) : REAL(c[1]);
    const REAL v11 = v6 > REAL(0) ? REAL(c[3]) : v10;
    const REAL v14 = s[1] * v11;
    const REAL v15 = larger(v14, REAL(c[4]));
    const REAL v16 = -(v15);
    const REAL v17 = -(REAL(c[5]));
    const REAL v18 = larger(v16, v17);
    const REAL v19 = -(v18);
    const REAL v20 = -(v6);
    const REAL v21 = v20 > REAL(0) ? REAL(c[0]) : g;
    const REAL v24 = -(v21);
    const REAL v25 = -(REAL(c[7]));
    const REAL v26 = v24 > REAL(0) ? v25 : REAL(c[6]);
    const REAL v27 = v21 > REAL(0) ? REAL(c[7]) : v26;
    const REAL v28 = v27 * v19;
    const REAL v29 = p - v28;
    p = v29;
    s[0] = v21;
    s[1] = v19;
)

// sgd
RULE(update_sgd_41415bfb, 1,
    const REAL v4 = s[0] * REAL(c[0]);
    const REAL v6 = g * REAL(c[1]);
    const REAL v7 = v4 + v6;
    const REAL v9 = REAL(c[2]) != REAL(0) ? g : v7;
    const REAL v11 = REAL(c[3]) != REAL(0) ? s[0] : v9;
    const REAL v13 = v11 * REAL(c[4]);
    const REAL v14 = g + v13;
    const REAL v16 = REAL(c[5]) != REAL(0) ? v14 : v11;
    const REAL v18 = REAL(c[6]) != REAL(0) ? g : v16;
    const REAL v20 = v18 * REAL(c[7]);
    const REAL v21 = p - v20;
    p = v21;
    s[0] = v11;
)

// sgd
RULE(update_sgd_a8a6508e, 0,
    const REAL v3 = g * REAL(c[0]);
    const REAL v4 = p - v3;
    p = v4;
)

// rules that look at more than one element
RULE(update_take_79b94481, 0,
    const REAL r0 = g;
    p = r0;
)
