//! The command line, one file per subcommand: arguments become requests to the library, results are printed.

mod compare;
mod config;
mod dashboard;
mod data;
mod device;
mod differences;
mod eval;
mod export;
mod finished_run;
mod init;
mod initial_weights;
mod inspect;
mod list;
mod messages;
mod multi_run;
mod pass_bar;
mod paths;
mod predict;
mod progress;
mod ranks;
mod replay;
mod report;
mod run_folders;
mod screen;
mod settings;
mod shell;
mod signals;
mod spread;
mod table;
mod train;
mod usage;
mod verify;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{ArgAction, ColorChoice, CommandFactory, Parser, Subcommand};
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::data::pass::PASS;
use crate::error::Error;

use messages::{Messages, print_line, sentence};
use ranks::Ranks;

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// Trains neural networks: a TOML config goes in, safetensors that PyTorch loads come out.
#[derive(Debug, Parser)]
#[command(name = "descent", version, propagate_version = true)]
struct Cli {
    /// Print more messages; -vv prints all.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    /// Print only errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// When to colour messages.
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, help_heading = GLOBAL)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at a table, a series, a folder of pictures or an .npz file, and print a commented config for it.
    Init(init::Arguments),
    /// Train a network; without CONFIG, the quick start on the embedded MNIST sample.
    Train(train::Arguments),
    /// Evaluate a run's best weights on its test split, or on all rows of a file.
    Eval(eval::Arguments),
    /// Predict the rows of a file with a run's best weights.
    Predict(predict::Arguments),
    /// Write a run's trained model for another tool.
    Export(export::Arguments),
    /// Compare a run's updates with PyTorch's, step by step; exit code 1 where they differ.
    Verify(verify::Arguments),
    /// List the tensors of a run or of a .safetensors file.
    Inspect(inspect::Arguments),
    /// Repeat the update at which a run diverged, layer by layer.
    Replay(replay::Arguments),
    /// Compare runs: loss over epochs, updates, samples and seconds.
    Compare(compare::Arguments),
    /// Write an HTML report of runs: curves, confusion matrix, mistakes, weights and gradients.
    Report(report::Arguments),
    /// List everything that a config can name, with options and defaults; `list devices` lists the CPU and the GPUs.
    List(list::Arguments),
    /// Check a config, show it resolved, or print the JSON Schema of configs.
    Config(config::Arguments),
    /// Print the completion script of a shell.
    Completions(shell::Completions),
    /// Write manual pages.
    Man(shell::Man),
    /// Download known data sets.
    Data(data::Arguments),
}

/// Runs the program on the process's arguments.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let arguments: Vec<String> =
                std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
            let usage = usage::explain(error, &Cli::command(), &arguments);
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    hide_guarded_panics();
    let messages = Messages::new(cli.quiet);
    let ranks = match begin_ranks(&cli.command) {
        Ok(ranks) => ranks,
        Err(error) => {
            print_line(&format!("error: {}", sentence(&error.into())));
            return ExitCode::from(2);
        }
    };
    start_logging(&cli, &messages, ranks.is_first());
    let heard = signals::outlive_size_limit().map_err(anyhow::Error::from);
    match heard.and_then(|()| dispatch(cli, messages, &ranks)) {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Another rank says what has ended all.
            if !matches!(error.downcast_ref(), Some(Error::OtherRank { .. })) {
                print_line(&format!("error: {}", sentence(&error)));
            }
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Runs the command.
fn dispatch(cli: Cli, messages: Messages, ranks: &Ranks) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match cli.command {
        Command::Init(arguments) => init::run(&arguments).map(done),
        Command::Train(arguments) => train::run(&arguments, messages, ranks),
        Command::Eval(arguments) => eval::run(&arguments).map(done),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Export(arguments) => export::run(&arguments).map(done),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments).map(done),
        Command::Replay(arguments) => replay::run(&arguments).map(done),
        Command::Compare(arguments) => compare::run(&arguments, &messages),
        Command::Report(arguments) => report::run(&arguments, cli.quiet).map(done),
        Command::List(arguments) => list::run(&arguments).map(done),
        Command::Config(arguments) => config::run(&arguments).map(done),
        Command::Completions(arguments) => shell::completions(&arguments, Cli::command()).map(done),
        Command::Man(arguments) => shell::man(&arguments, Cli::command()).map(done),
        Command::Data(arguments) => data::run(&arguments).map(done),
    }
}

/// The processes that a launcher has started to train together. Commands that train several runs are no ranks.
fn begin_ranks(command: &Command) -> Result<Ranks, Error> {
    match command {
        Command::Train(arguments) if arguments.folds.is_some() => Ranks::require_none("train --folds"),
        Command::Train(arguments) if arguments.bag.is_some() => Ranks::require_none("train --bag"),
        Command::Train(arguments) => Ranks::begin(arguments.rank_timeout()),
        Command::Compare(arguments) if arguments.trains() => Ranks::require_none("compare --train"),
        _ => Ok(Ranks::default()),
    }
}

/// Hides the message of a panic that is caught and becomes an error.
fn hide_guarded_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::data::table::read::is_guarded() {
            print(panic);
        }
    }));
}

fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref().map_or(1, Error::exit_code)
}

/// `descent list | head` is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let own = match error.downcast_ref() {
        Some(Error::Io { source, .. }) => Some(source),
        _ => error.downcast_ref::<std::io::Error>(),
    };
    own.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

fn start_logging(cli: &Cli, messages: &Messages, is_first: bool) {
    let level = match (cli.quiet || !is_first, cli.verbose) {
        // What other ranks have to tell, the first does too.
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let has_dashboard = matches!(&cli.command, Command::Train(train) if train.tui);
    let color = match cli.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // A dashboard has colours of its own.
        ColorChoice::Auto if has_dashboard => false,
        ColorChoice::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(color)
        .with_target(false)
        .without_time()
        // A line that cannot be written is no reason to stop.
        .log_internal_errors(false)
        .with_writer(messages.clone())
        .with_filter(FilterFn::new(move |event| event.target() != PASS && *event.level() <= level));
    let is_shown = level >= LevelFilter::INFO && !has_dashboard && std::io::stderr().is_terminal();
    let bars = messages.bars().clone().with_filter(FilterFn::new(|event| event.target() == PASS));
    tracing_subscriber::registry().with(lines).with(is_shown.then_some(bars)).init();
}
