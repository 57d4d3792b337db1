//! Curves in bounded memory.

/// The most points of a curve: more than two to each dot of a wide terminal.
const POINTS: usize = 1024;

/// A curve of a whole run. Once it is full, neighbours become one, their mean, and so do values from then on.
#[derive(Debug, Default)]
pub(super) struct Curve {
    points: Vec<(f64, f64)>,
    /// The values that make a point, but for a factor of two each time it was full.
    doublings: u32,
    pending: PendingMean,
    extremes: Option<(f64, f64)>,
    last: Option<f64>,
}

/// A mean of points under way.
#[derive(Debug, Default)]
struct PendingMean {
    x: f64,
    y: f64,
    /// The number of values, and of finite ones.
    count: u64,
    finite: u64,
}

impl PendingMean {
    fn add(&mut self, (x, y): (f64, f64)) {
        self.x += x;
        self.count += 1;
        if y.is_finite() {
            self.y += y;
            self.finite += 1;
        }
    }

    /// If no value was finite, the mean is not either.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    fn point(&self) -> Option<(f64, f64)> {
        let y = if self.finite == 0 { f64::NAN } else { self.y / self.finite as f64 };
        (self.count > 0).then(|| (self.x / self.count as f64, y))
    }
}

impl Curve {
    /// Adds a value; one that is not finite makes a gap.
    pub(super) fn push(&mut self, x: f64, y: f64) {
        self.last = Some(y);
        if y.is_finite() {
            let (low, high) = self.extremes.unwrap_or((y, y));
            self.extremes = Some((low.min(y), high.max(y)));
        }
        self.pending.add((x, y));
        if self.pending.count >> self.doublings > 0 {
            self.points.extend(std::mem::take(&mut self.pending).point());
            if self.points.len() == POINTS {
                self.halve();
            }
        }
    }

    fn halve(&mut self) {
        let merged = self.points.chunks(2).filter_map(|pair| {
            let mut mean = PendingMean::default();
            for point in pair {
                mean.add(*point);
            }
            mean.point()
        });
        self.points = merged.collect();
        self.doublings += 1;
    }

    /// The points, in the order in which they came.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().chain(self.pending.point())
    }

    /// The last value.
    pub(super) fn last(&self) -> Option<f64> {
        self.last
    }

    /// The last of the means: what a noisy value is about.
    pub(super) fn recent(&self) -> Option<f64> {
        self.points().last().map(|point| point.1)
    }

    /// The smallest and the greatest of the finite values.
    pub(super) fn extremes(&self) -> Option<(f64, f64)> {
        self.extremes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_shape_in_bounded_memory() {
        let mut curve = Curve::default();
        for x in 0..1_000_000 {
            curve.push(f64::from(x), 2.0 * f64::from(x));
        }
        let points: Vec<_> = curve.points().collect();
        assert!((POINTS / 2..=POINTS).contains(&points.len()), "{}", points.len());
        assert!(points.iter().all(|(x, y)| (y - 2.0 * x).abs() < 1e-6));
        assert!(points.is_sorted_by(|a, b| a.0 < b.0));
        assert!(points[0].0 < 2000.0 && points[points.len() - 1].0 > 998_000.0);
        assert_eq!((curve.last(), curve.extremes()), (Some(1_999_998.0), Some((0.0, 1_999_998.0))));
    }

    #[test]
    fn what_is_not_finite_is_a_gap_and_no_more() {
        let mut curve = Curve::default();
        for y in [1.0, f64::NAN, f64::INFINITY, 3.0] {
            curve.push(0.0, y);
        }
        let finite: Vec<bool> = curve.points().map(|point| point.1.is_finite()).collect();
        assert_eq!(finite, [true, false, false, true]);
        assert_eq!(curve.extremes(), Some((1.0, 3.0)));
        curve.halve();
        assert_eq!(curve.points().map(|point| point.1).collect::<Vec<_>>(), [1.0, 3.0]);
    }
}
