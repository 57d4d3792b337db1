//! Groups of rows that are dealt to parts with shares of the rows.

use super::Stratum;

/// The rows of a group: the strata that it has, and how many rows of each.
pub(super) type GroupCounts = Vec<(Stratum, u64)>;

/// The rows that a part has so far.
struct Filled {
    /// Of all rows, the fraction that it should have in the end.
    share: f64,
    /// By stratum.
    strata: Vec<f64>,
    rows: f64,
}

/// Deals groups, in this order, to parts with these shares of the rows; returns each group's part. A group goes to the part
/// that brings the rows of the strata nearest to the shares, by Pearson's χ² of the rows that the parts have and should have
/// in the end.
#[allow(clippy::cast_precision_loss, reason = "a number of rows")]
pub(super) fn deal(groups: &[&GroupCounts], strata: usize, shares: &[f64]) -> Vec<usize> {
    let mut all = vec![0.0; strata];
    for (stratum, rows) in groups.iter().copied().flatten() {
        all[*stratum] += *rows as f64;
    }
    let part = |share: &f64| Filled { share: *share, strata: vec![0.0; strata], rows: 0.0 };
    let mut parts: Vec<Filled> = shares.iter().map(part).collect();
    let mut dealt = Vec::with_capacity(groups.len());
    for group in groups {
        let own: Vec<(Stratum, f64)> = group.iter().map(|(stratum, rows)| (*stratum, *rows as f64)).collect();
        let place = nearest(&own, &all, &parts);
        for (stratum, rows) in own {
            parts[place].strata[stratum] += rows;
            parts[place].rows += rows;
        }
        dealt.push(place);
    }
    dealt
}

/// The part that a group with these rows fits best, beside what the parts have of all rows; of parts that it fits alike, the
/// emptiest.
fn nearest(group: &[(Stratum, f64)], all: &[f64], parts: &[Filled]) -> usize {
    // The change of Σ (filled − expected)² / expected.
    let cost = |part: &Filled| -> f64 {
        let change = |(stratum, rows): &(Stratum, f64)| {
            let expected = part.share * all[*stratum];
            rows * (2.0 * (part.strata[*stratum] - expected) + rows) / expected
        };
        group.iter().map(change).sum()
    };
    let costs: Vec<f64> = parts.iter().map(cost).collect();
    let fullness = |place: usize| parts[place].rows / parts[place].share;
    let order = |a: &usize, b: &usize| {
        costs[*a].total_cmp(&costs[*b]).then_with(|| fullness(*a).total_cmp(&fullness(*b)))
    };
    (0..parts.len()).min_by(order).unwrap_or(0)
}
