//! From the file of a series to its windows.

use rustc_hash::FxHashSet;

use super::file::{self, SeriesFile};
use super::timeline::Timeline;
use super::window::WindowShape;
use super::{TimeSeries, fit};
use crate::data::preprocess::{Preprocessing, PreprocessingSource, SeriesOrder, TableFormat};
use crate::data::split::Part;
use crate::data::table::Opened;
use crate::data::table::options::{Options, Test};
use crate::data::table::read::{Format, Input, TableFile, WantedColumns};
use crate::data::{Loaded, Request, Windows};
use crate::distributed::Single;
use crate::error::{Error, Result};

impl TimeSeries {
    /// Loads the series: its file is parsed once, in blocks on all cores, where there is room to keep it as columns.
    pub(super) fn load_file(&self, request: &Request<'_>) -> Result<Loaded> {
        let format = Format::of(&self.path).unwrap_or(Format::Csv);
        let options = self.options();
        options.check(format)?;
        self.check(request)?;
        let (input, dialect) = (Input::File(self.path.clone()), options.dialect(request.task));
        let file = TableFile { input: &input, format, dialect: &dialect, ranks: &Single };
        let load = |table: &Opened| self.load_table(table, &options, request);
        Opened::load(&file, self.wanted(&options, request), options.memory, load)
    }

    /// How the columns are kept: the series and the times are compared as text.
    fn wanted(&self, options: &Options, request: &Request<'_>) -> WantedColumns {
        let order = self.order_of(request.fitted.map(|fitted| &fitted.source));
        let own: FxHashSet<&String> = order.time.iter().chain(&order.group).collect();
        let mut wanted = options.wanted(request);
        wanted.ignored.retain(|name| !own.contains(name));
        wanted.text.extend(own.into_iter().cloned());
        wanted
    }

    /// Loads the series in a table that is open.
    fn load_table(&self, table: &Opened, options: &Options, request: &Request<'_>) -> Result<Loaded> {
        let fitted = request.fitted.map(|fitted| &fitted.source);
        let (order, steps) = (self.order_of(fitted), self.steps_of(fitted));
        let shape = WindowShape { window: self.window, steps: &steps };
        let candidates = if fitted.is_some() { Vec::new() } else { self.candidates(table)? };
        let timeline = file::timeline(table, &order, &candidates)?;
        let order = found(order, &timeline)?;
        let parts = self.parts(&timeline, shape, request)?;
        self.check_season(&timeline, request)?;
        let series = fit::FittedSeries { order: &order, calendar: &self.calendar };
        let encoder = match request.fitted.and_then(Preprocessing::table) {
            Some(encoder) => encoder.clone(),
            None => fit::fit(options, table, &trained(&timeline, &parts), &series, request)?,
        };
        let subtract = self.subtract(&encoder, request)?;
        let file = SeriesFile {
            shape,
            encoder: &encoder,
            order: &order,
            subtract: subtract.as_ref(),
            dtype: request.dtype,
            memory: options.memory,
            row_use: request.row_use(),
        };
        let mut splits = file.splits(table, timeline, &parts, &self.plan(request))?;
        let fitted_order = SeriesOrder { season_length: Some(splits.season_length), ..order.clone() };
        let file = SeriesFile { order: &fitted_order, ..file };
        splits.test = self.test_file(&file, table, request)?.or(splits.test);
        let outputs = encoder.target.outputs() * steps.len();
        let source = PreprocessingSource::Series {
            format: TableFormat { format: table.format, dialect: table.dialect.clone() },
            window: self.window,
            steps,
            subtract_last: self.subtract_last,
            order: fitted_order,
            encoder,
        };
        Ok(Loaded::Encoded(Box::new(splits.encoded(outputs, source))))
    }

    /// The windows of the test file, unless folds replace it.
    fn test_file(
        &self,
        file: &SeriesFile<'_>,
        table: &Opened,
        request: &Request<'_>,
    ) -> Result<Option<Windows>> {
        match &self.test {
            Test::File(path) if request.plan.fold.is_none() => {
                let names = file.encoder.named_columns();
                let text = names.chain(&file.order.time).chain(&file.order.group).cloned().collect();
                let wanted = table.is_kept().then_some(WantedColumns { text, ignored: Vec::new() });
                file.whole(&file::other_file(&table.dialect, table, path, wanted, self.memory)?).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The order of the rows, completed from their timeline.
fn found(order: SeriesOrder, timeline: &Timeline) -> Result<SeriesOrder> {
    let time = timeline.column().map(str::to_owned);
    if order.sort && time.is_none() {
        let problem = "is true, but no column holds a date in every row; name the time in `data.time`";
        return Err(Error::key("data.sort", problem));
    }
    let step = timeline.step();
    let frequency = order.frequency.or(step.filter(|_| order.step.is_none()).and_then(|step| step.frequency));
    let max_gap = order.max_gap.or(Some(timeline.max_gap()).filter(|gap| *gap > 0));
    let uneven = if order.step.is_some() { order.uneven } else { !timeline.is_even() };
    let step = order.step.or(step.map(|step| step.length));
    Ok(SeriesOrder { time, step, frequency, uneven, max_gap, form: timeline.form(), ..order })
}

/// Whether each row of the file is trained on.
fn trained(timeline: &Timeline, parts: &[Part]) -> Vec<bool> {
    let mut trained = vec![false; timeline.len()];
    for (place, part) in parts.iter().enumerate() {
        trained[timeline.row(place)] = *part == Part::Train;
    }
    trained
}
