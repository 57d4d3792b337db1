//! Windows of the rows in a file.

/// Windows of rows that follow each other, named by their first rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowForm {
    /// The rows of a window, whose features are one behind the other.
    pub rows: usize,
    /// The rows that have its targets, counted from its first.
    pub targets: Vec<usize>,
}

impl WindowForm {
    /// The rows that these windows consist of.
    pub(super) fn rows_of(&self, windows: &[u32]) -> Vec<u32> {
        let count = u32::try_from(self.rows).unwrap_or(u32::MAX);
        windows.iter().flat_map(|first| *first..first.saturating_add(count)).collect()
    }

    /// The rows that have the targets of these windows.
    pub(super) fn targets_of(&self, windows: &[u32]) -> Vec<u32> {
        let ahead = |row: &usize| u32::try_from(*row).unwrap_or(u32::MAX);
        let of = |first: &u32| self.targets.iter().map(|row| first.saturating_add(ahead(row))).collect();
        windows.iter().flat_map::<Vec<u32>, _>(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stored::{Form, StoredWriter};

    #[test]
    fn windows_have_the_features_of_their_rows_and_the_targets_of_later_ones() {
        let mut writer = StoredWriter::create(Form { features: 2, targets: 1, wide: true }).unwrap();
        for row in 0..10 {
            let x = f64::from(row);
            writer.add(&[x, -x], &[10.0 * x], 0).unwrap();
        }
        let stored = writer.finish().unwrap().with_windows(WindowForm { rows: 3, targets: vec![3, 5] });
        let features = stored.features(&[4, 0]).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(features, [[4.0, -4.0, 5.0, -5.0, 6.0, -6.0], [0.0, -0.0, 1.0, -1.0, 2.0, -2.0]]);
        let targets = stored.targets(&[4, 0]).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(targets, [[70.0, 90.0], [30.0, 50.0]]);
        assert!(stored.features(&[8]).is_err() && stored.targets(&[u32::MAX]).is_err());
        let rows = stored.single_rows().features(&[9]).unwrap();
        assert_eq!(rows.to_vec2::<f64>().unwrap(), [[9.0, -9.0]]);
    }
}
