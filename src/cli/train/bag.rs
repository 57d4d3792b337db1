//! `descent train --bag K`: the runs of K folds, averaged into one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::Arguments;
use super::printing::{describe, print_plan, summary};
use crate::cli::messages::Messages;
use crate::cli::multi_run::{self, Member, MultiRun, OutFolder, RunOutcome};
use crate::cli::screen::Screen;
use crate::cli::settings::Settings;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::names::as_strs;
use crate::run::bag::{self, BagRun, config_in};
use crate::run::names::{CONFIG, FOLDS};
use crate::run::{Interrupt, PreparedRun, RunOptions};

/// The configs of the average and of its members.
pub(super) struct BagPlan {
    whole: Config,
    members: Vec<Config>,
    /// The folder of an average that is resumed.
    resumed: Option<PathBuf>,
}

impl BagPlan {
    /// A bag of so many networks with the config of the arguments.
    pub(super) fn new(arguments: &Arguments, of: u64) -> Result<Self> {
        let whole = arguments.config(&settings(None, of))?;
        if ["timeseries", "waves"].contains(&whole.source.name()) {
            let problem = "--bag: its folds are drawn at random, and the rows of a series have an order; --folds tests on \
                           later rows each time";
            return Err(Error::Config(problem.to_owned()));
        }
        let member = |index| arguments.config(&settings(Some(index), of));
        let members = (1..=of).map(member).collect::<Result<_>>()?;
        Ok(Self { whole, members, resumed: None })
    }

    /// The bag in a folder, with more settings; nothing where another run is in it.
    pub(super) fn resumed(folder: &Path, set: &Settings) -> Result<Option<Self>> {
        let Some(whole) = config_in(folder, &set.as_strs())? else { return Ok(None) };
        let of = whole.preparation.bag.map_or(0, |bag| bag.of);
        let member = |index| {
            let set = set.with(&settings(Some(index), of));
            Config::of_run(&folder.join(CONFIG), &as_strs(&set))
        };
        let members = (1..=of).map(member).collect::<Result<_>>()?;
        Ok(Some(Self { whole, members, resumed: Some(folder.to_path_buf()) }))
    }

    /// Trains the runs of all folds that earlier calls have not trained, and averages them. What these say alike is said once
    /// from the first line on.
    pub(super) fn run(self, arguments: &Arguments, messages: &Messages) -> anyhow::Result<ExitCode> {
        let runs = MultiRun::listen(messages)?;
        let options = arguments.options(None, &Interrupt::default())?;
        if arguments.dry_run {
            let first = self.members.into_iter().next();
            let plan =
                |config| print_plan(&PreparedRun::new(config, RunOptions { folder: None, ..options })?);
            first.map_or(Ok(()), plan)?;
            return Ok(ExitCode::SUCCESS);
        }
        let out = OutFolder::new(self.resumed.as_ref().or(arguments.out.as_ref()), &self.whole.name())?;
        let members = self.members(&out)?;
        let preprocessing = Arc::new(bag::preprocessing(&self.whole, &options.device)?);
        let bag = BagRun::begin(out.path(), self.whole, &options.device)?;
        let mut outcomes: Vec<(String, RunOutcome)> = Vec::new();
        for member in &members {
            let options = arguments.options(Some(member.folder.clone()), runs.interrupt())?;
            let options = RunOptions { preprocessing: Some(Arc::clone(&preprocessing)), ..options };
            let is_quiet = messages.is_quiet() || !outcomes.is_empty();
            // The columns are the same in every fold.
            let see = |run: &PreparedRun| {
                if !is_quiet {
                    describe(run);
                }
                Ok(())
            };
            match runs.train(member, options, &mut Screen::lines(is_quiet), see) {
                // The average needs every network: the others would be trained in vain.
                Ok(outcome) => outcomes.push((member.name.clone(), outcome.misfit()?.told(&member.name))),
                Err(signal) => return Ok(multi_run::stopped(out.path(), signal, messages.is_quiet())),
            }
        }
        if let Some(failure) = multi_run::failure(outcomes) {
            return Err(failure);
        }
        let folders: Vec<PathBuf> = members.into_iter().map(|member| member.folder).collect();
        let finished = bag.finish(&folders, &preprocessing)?;
        write!(std::io::stdout().lock(), "{}", summary(&finished))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The run of each fold. Every folder is looked at before the first is trained.
    fn members(&self, out: &OutFolder) -> Result<Vec<Member>> {
        let member = |(index, config): (u32, &Config)| {
            let folder = out.path().join(FOLDS).join(index.to_string());
            let new = if self.resumed.is_some() { Member::resumed } else { Member::new };
            new(format!("fold {index}"), folder, config.clone())
        };
        let members: Vec<Member> = (1..).zip(&self.members).map(member).collect::<Result<_>>()?;
        if self.resumed.is_none() {
            multi_run::require_own(out, members.iter())?;
        }
        Ok(members)
    }
}

/// The settings of the average, or of a member.
fn settings(index: Option<u64>, of: u64) -> Vec<String> {
    let index = index.map_or(String::new(), |index| format!("index = {index}, "));
    vec!["data.validation=0.0".to_owned(), format!("data.bag={{ {index}of = {of} }}")]
}
