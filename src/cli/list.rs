//! `descent list`: lists everything that a config can name, from the registries.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::config::RunConfig;
use crate::data::{Preparation, Sources};
use crate::loss::Losses;
use crate::metrics::{MetricInfo, class, value};
use crate::model::Model;
use crate::nn::{Activation, Init, Numerical};
use crate::optim::Rule;
use crate::optim::schedule::{Schedules, Timing};
use crate::registry::{Entry, options};
use crate::trainer::{Averages, EarlyStopping, TrainOptions};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Subject of the list; by default everything that a config can name.
    what: Option<What>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// The CPU and the GPUs.
    Devices,
    /// The metrics, whether higher or lower is better, and their meaning.
    Metrics,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match arguments.what {
        Some(What::Devices) => return super::device::list(),
        Some(What::Metrics) => return metrics(&mut out),
        None => {}
    }
    let sections: [(&str, &str, Vec<Entry>); 8] = [
        ("models", "[model] name = …", Model::entries()),
        ("embeddings of numerical features", "[model.numerical] name = …", Numerical::entries()),
        ("optimizers", "[optimizer] name = …", Rule::entries()),
        ("schedules", "[schedule] name = …", schedules()),
        ("losses", "[loss] name = …", Losses::entries()),
        ("data sets", "[data] name = …", Sources::entries()),
        ("initialisers", "[model.init] hidden, output, bias, embedding = …", Init::entries()),
        ("averages of the weights", "[train.average] name = …", Averages::entries()),
    ];
    for (title, place, entries) in sections {
        let lines: Vec<_> =
            entries.iter().map(|Entry { name, options }| (*name, sentence(options))).collect();
        section(&mut out, &format!("{title}, {place}"), &lines)?;
    }
    let group = "match = \"*.bias\", frozen = false, and options in place of the optimizer's own".to_owned();
    section(&mut out, "groups of parameters, [[optimizer.groups]]", &[("", group)])?;
    section(&mut out, "any schedule, [schedule]", &[("", sentence(&options::<Timing>()))])?;
    section(&mut out, "any data set, [data]", &[("", sentence(&options::<Preparation>()))])?;
    section(&mut out, "activations, [model] activation = …", &[("", Activation::NAMES.join(", "))])?;
    section(
        &mut out,
        "training, [train]",
        &[("", sentence(&[options::<TrainOptions>(), options::<RunConfig>()].concat()))],
    )?;
    let stop = sentence(&options::<EarlyStopping>());
    section(&mut out, "early stopping, [train.early_stopping]", &[("", stop)])?;
    metrics(&mut out)
}

/// The schedules, each with what a number of steps is that is left out.
fn schedules() -> Vec<Entry> {
    let mut entries = Schedules::entries();
    for Entry { name, options } in &mut entries {
        for (key, default) in options.iter_mut().filter(|(_, default)| default == "none") {
            let left_out = match (*name, key.as_str()) {
                ("linear", "total_iters") => "5 (where end_factor is 0: the steps of the run)",
                ("cyclic", "step_size_down") => "step_size_up",
                (_, "T_max" | "total_iters" | "total_steps") => "the steps of the run",
                _ => continue,
            };
            left_out.clone_into(default);
        }
    }
    entries
}

/// The metrics with their direction and meaning, by task.
fn metrics(out: &mut impl Write) -> anyhow::Result<()> {
    let line = |info: &MetricInfo| (info.name, format!("{}: {}", info.direction.words(), info.meaning));
    for classes in class::ClassRange::ALL {
        let own = class::METRICS.iter().filter(|entry| entry.classes == classes);
        let lines: Vec<_> = own.map(|entry| line(&entry.info)).collect();
        section(out, &format!("metrics of {}", classes.words()), &lines)?;
    }
    let lines: Vec<_> = value::METRICS.iter().map(|entry| line(&entry.info)).collect();
    section(
        out,
        "metrics of values; of several targets NAME_TARGET for each, and the mean where they share a unit",
        &lines,
    )
}

/// A title, and under it the names with their options.
fn section(out: &mut impl Write, title: &str, lines: &[(&str, String)]) -> anyhow::Result<()> {
    let width = lines.iter().map(|(name, _)| name.len() + 2).max().unwrap_or(0);
    writeln!(out, "{title}")?;
    for (name, text) in lines {
        writeln!(out, "{}", format!("  {name:<width$}{text}").trim_end())?;
    }
    writeln!(out)?;
    Ok(())
}

fn sentence(options: &[(String, String)]) -> String {
    let options: Vec<String> = options.iter().map(|(name, default)| format!("{name} = {default}")).collect();
    options.join(", ")
}
