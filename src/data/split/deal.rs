//! Groups of rows that are dealt to parts with shares of the rows.

use super::Stratum;

/// The rows of a group: the strata that it has, and how many rows of each.
pub(super) type GroupCounts = Vec<(Stratum, u64)>;

/// Deals groups, in this order, to parts with these shares of the rows; returns each group's part. A group goes to the part
/// that brings the rows of the strata nearest to the shares, by Pearson's χ² of what the parts have and should have in the
/// end.
pub(super) fn deal(groups: &[&GroupCounts], strata: usize, shares: &[f64]) -> Vec<usize> {
    let mut all = vec![0; strata];
    for (stratum, rows) in groups.iter().copied().flatten() {
        all[*stratum] += rows;
    }
    // What a part has of the rows of every stratum, in fractions.
    let mut filled = vec![vec![0.0; strata]; shares.len()];
    let mut dealt = Vec::with_capacity(groups.len());
    for group in groups {
        #[allow(clippy::cast_precision_loss, reason = "a fraction of rows")]
        let fraction = |rows: u64, stratum: Stratum| rows as f64 / all[stratum] as f64;
        let own: Vec<(Stratum, f64)> =
            group.iter().map(|(stratum, rows)| (*stratum, fraction(*rows, *stratum))).collect();
        let part = nearest(&own, &filled, shares);
        for (stratum, fraction) in own {
            filled[part][stratum] += fraction;
        }
        dealt.push(part);
    }
    dealt
}

/// The part whose share a group with these fractions of the strata's rows fits best, beside what the parts have already; of
/// parts that it fits alike, the emptiest.
fn nearest(group: &[(Stratum, f64)], filled: &[Vec<f64>], shares: &[f64]) -> usize {
    // The change of Σ (filled − share)² / share.
    let cost = |part: usize| -> f64 {
        let change = |(stratum, own): &(Stratum, f64)| {
            own * (2.0 * (filled[part][*stratum] - shares[part]) + own) / shares[part]
        };
        group.iter().map(change).sum()
    };
    let fullness = |part: usize| filled[part].iter().sum::<f64>() / shares[part];
    let order = |a: &usize, b: &usize| {
        cost(*a).total_cmp(&cost(*b)).then_with(|| fullness(*a).total_cmp(&fullness(*b)))
    };
    (0..shares.len()).min_by(order).unwrap_or(0)
}
