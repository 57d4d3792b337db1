//! The output of `descent train` beside the progress of a run.

use std::io::Write;
use std::process::ExitCode;

use crate::checkpoint::TensorInfo;
use crate::cli::messages::print_line;
use crate::cli::signals::Stop;
use crate::cli::{initial_weights, inspect, table};
use crate::data::{Dataset, Splits};
use crate::names::counted;
use crate::numbers::number;
use crate::run::{Finished, PreparedRun};

/// Prints how to continue a run that a signal ended; returns the exit code.
pub(super) fn stopped(finished: &Finished, signal: Option<Stop>, quiet: bool) -> ExitCode {
    let signal = signal.unwrap_or(Stop::Interrupt);
    if !quiet {
        print_line(&format!(
            "stopped by {} after saving at step {}; go on with: descent train --resume {}",
            signal.name(),
            finished.step,
            finished.folder.display()
        ));
    }
    ExitCode::from(signal.exit_code())
}

/// The results of a run, a name and a value per line.
pub(super) fn summary(finished: &Finished) -> String {
    let mut rows = vec![("run".to_owned(), finished.folder.display().to_string())];
    let numbers = finished.test.iter().chain(&finished.baselines);
    rows.extend(numbers.map(|(name, value)| (table::printable(name), number(*value))));
    rows.push(("updates".to_owned(), table::thousands(finished.step)));
    rows.push(("seconds".to_owned(), format!("{:.2}", finished.seconds)));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    rows.iter().fold(String::new(), |text, (name, value)| format!("{text}{name:<width$}{value}\n"))
}

/// Prints what the columns of a table were taken for, the number of rows of each split, and the positive one of two
/// classes, where the config does not name it.
pub(super) fn describe(prepared: &PreparedRun) {
    describe_table(prepared.splits());
    initial_weights::describe(prepared);
    let info = prepared.splits().train.target_info();
    if let (None, Some(class)) = (&prepared.config().preparation.positive, info.positive()) {
        print_line(&format!(
            "the positive class is `{}`, the second in order; `data.positive` names another",
            table::printable(class)
        ));
    }
}

fn describe_table(splits: &Splits) {
    /// The most columns that are listed.
    const MOST: usize = 100;
    let Some(encoder) = splits.preprocessing.table() else { return };
    let all = encoder.describe();
    let more = all.len().saturating_sub(MOST);
    let lines: Vec<Vec<String>> = all.into_iter().take(MOST).map(|(name, text)| vec![name, text]).collect();
    print_line(table::render(&lines).trim_end());
    if more > 0 {
        print_line(&format!(
            "and {}; data.toml in the run's folder has all",
            counted(more as u64, "more column")
        ));
    }
    let rows = |data: &Option<Dataset>| data.as_ref().map_or(0, Dataset::len) as u64;
    let parts = [
        ("to train on", splits.train.len() as u64),
        ("to validate", rows(&splits.validation)),
        ("to test on", rows(&splits.test)),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(what, rows)| format!("{} {what}", table::thousands(*rows)))
        .collect();
    let weighted = if splits.train.is_weighted() {
        "; they count by their weights, in the loss and all metrics"
    } else {
        ""
    };
    print_line(&format!("rows: {}{weighted}; features: {:?}", parts.join(", "), splits.preprocessing.row));
}

/// Prints the resolved config and the network's tensors.
pub(super) fn print_plan(prepared: &PreparedRun) -> anyhow::Result<()> {
    initial_weights::describe(prepared);
    let state = prepared.network().params().state();
    let infos: Vec<TensorInfo> = state
        .iter()
        .map(|(name, tensor)| TensorInfo {
            name: (*name).to_owned(),
            dtype: tensor.dtype().as_str().to_uppercase(),
            shape: tensor.dims().to_vec(),
        })
        .collect();
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "{}\n{}",
        prepared.config().to_toml()?,
        inspect::describe(&infos, &prepared.config().optimizer.groups)
    )?;
    Ok(())
}
