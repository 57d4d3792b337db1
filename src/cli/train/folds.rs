//! `descent train --folds K`: k-fold cross-validation.

use std::io::Write;
use std::process::ExitCode;

use super::arguments::Arguments;
use super::printing::{describe, print_plan};
use crate::cli::messages::{self, Messages};
use crate::cli::multi_run::{self, Member, MultiRun, OutFolder, RunOutcome};
use crate::cli::screen::Screen;
use crate::cli::spread::{self, Spread};
use crate::config::Config;
use crate::error::Result;
use crate::run::baselines::{Verdict, is_baseline, of_split};
use crate::run::{Interrupt, PreparedRun, RunOptions};

/// Trains `of` runs, each tested on a part of the rows that it was not trained on. What an earlier call has trained is not
/// trained again.
pub(super) fn run(arguments: &Arguments, of: u64, messages: &Messages) -> anyhow::Result<ExitCode> {
    let quiet = messages.is_quiet();
    let configs: Vec<Config> = (1..=of)
        .map(|index| arguments.config(&[format!("data.fold={{ index = {index}, of = {of} }}")]))
        .collect::<Result<_>>()?;
    if arguments.dry_run {
        let options = RunOptions { folder: None, ..arguments.options(None, &Interrupt::default())? };
        let first = configs.into_iter().next();
        first.map_or(Ok(()), |config| print_plan(&PreparedRun::new(config, options)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let runs = MultiRun::listen(messages)?;
    let name = configs.first().map_or_else(String::new, Config::name);
    let out = OutFolder::new(arguments.out.as_ref(), &name)?;
    let mut outcomes: Vec<(String, RunOutcome)> = Vec::new();
    for member in folds(&out, configs)? {
        let options = arguments.options(Some(member.folder.clone()), runs.interrupt())?;
        let is_first = outcomes.is_empty();
        // The columns are the same in every fold.
        let see = |run: &PreparedRun| {
            if is_first && !quiet {
                describe(run);
            }
            Ok(())
        };
        match runs.train(&member, options, &mut Screen::lines(quiet || !is_first), see) {
            Ok(outcome) => {
                let outcome = if is_first { outcome.misfit()? } else { outcome };
                outcomes.push((member.name.clone(), outcome.told(&member.name)));
            }
            Err(signal) => return Ok(multi_run::stopped(out.path(), signal, quiet)),
        }
    }
    print(&outcomes, quiet)?;
    multi_run::failure(outcomes).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Prints the metrics of the folds, and whether they beat the baselines.
fn print(outcomes: &[(String, RunOutcome)], quiet: bool) -> std::io::Result<()> {
    if outcomes.iter().any(|(_, outcome)| outcome.failure().is_none()) {
        write!(std::io::stdout().lock(), "{}", table(outcomes))?;
    }
    if let (Some(sentence), false) = (verdict(outcomes), quiet) {
        messages::print_line(&sentence);
    }
    Ok(())
}

/// The run of each fold. Every folder is looked at before the first is trained.
fn folds(out: &OutFolder, configs: Vec<Config>) -> Result<Vec<Member>> {
    let member = |(index, config): (u32, Config)| {
        Member::new(format!("fold {index}"), out.path().join(format!("fold-{index}")), config)
    };
    let members: Vec<Member> = (1..).zip(configs).map(member).collect::<Result<_>>()?;
    multi_run::require_own(out, members.iter())?;
    Ok(members)
}

/// The metrics of all folds; those that failed are marked.
fn table(outcomes: &[(String, RunOutcome)]) -> String {
    let columns = outcomes.iter().map(|(name, outcome)| {
        let name = outcome.failure().map_or_else(|| name.clone(), |what| format!("{name} ({what})"));
        (name, outcome.metrics())
    });
    spread::table(&columns.collect::<Vec<_>>())
}

/// Whether the network beats the best of its baselines in the mean of the folds, and in how many of them; nothing where they
/// have none.
fn verdict(outcomes: &[(String, RunOutcome)]) -> Option<String> {
    let folds: Vec<&[(String, f64)]> =
        outcomes.iter().map(|(_, outcome)| outcome.metrics()).filter(|metrics| !metrics.is_empty()).collect();
    let judge = |metrics: &[(String, f64)]| {
        let baselines: Vec<_> = metrics.iter().filter(|(name, _)| is_baseline(name)).cloned().collect();
        Verdict::of(&of_split(metrics, "test"), &baselines)
    };
    let mean = |name: &String| {
        let values = folds.iter().map(|fold| Some(fold.iter().find(|(own, _)| own == name)?.1));
        let values: Option<Vec<f64>> = values.collect();
        values.map(|values| (name.clone(), Spread::of(&values).mean))
    };
    if folds.len() < 2 {
        return None;
    }
    let means: Vec<(String, f64)> = folds.first()?.iter().filter_map(|(name, _)| mean(name)).collect();
    let Verdict { sentence, .. } = judge(&means)?;
    let judged: Vec<Verdict> = folds.iter().filter_map(|fold| judge(fold)).collect();
    let better = judged.iter().filter(|verdict| verdict.is_better).count();
    let (count, judged) = (folds.len(), judged.len());
    Some(format!(
        "in the mean of {count} folds {sentence}; by itself it beats its best baseline in {better} of {judged}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(own: f64, prior: f64, logistic: f64) -> RunOutcome {
        let metrics = [
            ("test_log_loss", own),
            ("baseline_prior_log_loss", prior),
            ("baseline_logistic_log_loss", logistic),
        ];
        RunOutcome::Finished(metrics.map(|(name, value)| (name.to_owned(), value)).to_vec())
    }

    #[test]
    fn the_mean_of_the_folds_and_each_fold_are_judged() {
        // Means: 0.5 beside the logistic regression's 0.625; the second fold is worse than its prior.
        let folds = [fold(0.25, 1.0, 0.5), fold(0.75, 0.7, 0.75)].map(|own| ("fold".to_owned(), own));
        let said = verdict(&folds).unwrap();
        assert!(
            said.starts_with("in the mean of 2 folds the network beats the best baseline, logistic"),
            "{said}"
        );
        assert!(said.contains("20.0 % lower, 0.5000 against 0.6250"), "{said}");
        assert!(said.ends_with("by itself it beats its best baseline in 1 of 2"), "{said}");
        assert_eq!(verdict(&folds[..1]), None);
        let none = || RunOutcome::Finished(vec![("test_log_loss".to_owned(), 1.0)]);
        assert_eq!(verdict(&[none(), none()].map(|own| ("fold".to_owned(), own))), None);
    }
}
