//! `descent list`: everything that a config can name, from the registries.

use std::io::Write;

use crate::data::{Preparation, Sources, Want};
use crate::loss::Losses;
use crate::metrics::Tally;
use crate::model::Model;
use crate::nn::{Activation, Init};
use crate::optim::Rule;
use crate::optim::schedule::{Schedules, Timing};
use crate::registry::{Entry, options};
use crate::trainer::{Averages, TrainOptions};

pub(super) fn run() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let sections: [(&str, &str, Vec<Entry>); 6] = [
        ("models", "[model] name = …", Model::entries()),
        ("optimizers", "[optimizer] name = …", Rule::entries()),
        ("schedules", "[schedule] name = …", Schedules::entries()),
        ("losses", "[loss] name = …", Losses::entries()),
        ("data sets", "[data] name = …", Sources::entries()),
        ("initialisers", "[model.init] hidden, output, bias = …", Init::entries()),
    ];
    for (title, place, entries) in sections {
        writeln!(out, "{title}, {place}")?;
        for Entry { name, options } in entries {
            writeln!(out, "  {name:<18}{}", sentence(&options))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "any schedule\n  {:<18}{}\n", "", sentence(&options::<Timing>()))?;
    writeln!(out, "any data set\n  {:<18}{}\n", "", sentence(&options::<Preparation>()))?;
    writeln!(out, "activations, [model] activation = …\n  {:<18}{}\n", "", Activation::NAMES.join(", "))?;
    writeln!(out, "metrics")?;
    let classes = Want::Classes { ignored: -100, probabilities: true };
    for (kind, want) in [("classes", classes), ("labels", Want::Labels), ("values", Want::Values)] {
        writeln!(out, "  {kind:<18}{}", Tally::names(want).join(", "))?;
    }
    writeln!(out)?;
    writeln!(out, "averages of the weights, [train.average] name = …")?;
    for Entry { name, options } in Averages::entries() {
        writeln!(out, "  {name:<18}{}", sentence(&options))?;
    }
    writeln!(out)?;
    writeln!(out, "training, [train]\n  {:<18}{}", "", sentence(&options::<TrainOptions>()))?;
    Ok(())
}

fn sentence(options: &[(String, String)]) -> String {
    let options: Vec<String> = options.iter().map(|(name, default)| format!("{name} = {default}")).collect();
    options.join(", ")
}
