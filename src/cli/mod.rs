//! The command line: one file a subcommand. It owns the epoch loop, the logs, and when something is saved.

mod compare;
mod config;
mod dashboard;
mod data;
mod device;
mod differences;
mod epochs;
mod eval;
mod events;
mod history;
mod inspect;
mod list;
mod messages;
mod predict;
mod progress;
mod replay;
mod report;
mod resume;
mod run_folder;
mod session;
mod several;
mod shell;
mod signals;
mod spread;
mod table;
mod train;
mod watch;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{ArgAction, ColorChoice, CommandFactory, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use crate::error::Error;

use messages::Messages;

/// Trains neural networks: a TOML file goes in, safetensors that PyTorch reads come out.
#[derive(Debug, Parser)]
#[command(name = "descent", version, propagate_version = true)]
struct Cli {
    /// Say more; twice, still more.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Whether messages are coloured.
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network; without CONFIG the quick start on the embedded MNIST sample.
    Train(train::Arguments),
    /// Loss and metrics of a run's best weights on its test split.
    Eval(eval::Arguments),
    /// What a run's best weights say of the rows of a file.
    Predict(predict::Arguments),
    /// The tensors of a run or of a .safetensors file.
    Inspect(inspect::Arguments),
    /// Repeat an update that was not made because the loss or the gradients were not finite.
    Replay(replay::Arguments),
    /// Runs side by side: loss over epochs, updates, samples and seconds.
    Compare(compare::Arguments),
    /// One HTML page with curves, confusion, mistakes, weights and gradients of runs.
    Report(report::Arguments),
    /// Everything that a config can name, with options and defaults; `list devices`: the CPU and the GPUs.
    List(list::Arguments),
    /// Check a config, or show all that it comes to.
    Config(config::Arguments),
    /// Print completions for a shell.
    Completions(shell::Completions),
    /// Write manual pages.
    Man(shell::Man),
    /// Data sets.
    Data(data::Arguments),
}

/// Runs the program on the process's arguments.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    hide_guarded_panics();
    let messages = Messages::default();
    start_logging(&cli, &messages);
    let done = |()| ExitCode::SUCCESS;
    let result = match cli.command {
        Command::Train(arguments) => train::run(&arguments, cli.quiet, messages),
        Command::Eval(arguments) => eval::run(&arguments).map(done),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments).map(done),
        Command::Replay(arguments) => replay::run(&arguments).map(done),
        Command::Compare(arguments) => compare::run(&arguments, cli.quiet),
        Command::Report(arguments) => report::run(&arguments, cli.quiet).map(done),
        Command::List(arguments) => list::run(&arguments).map(done),
        Command::Config(arguments) => config::run(&arguments).map(done),
        Command::Completions(arguments) => shell::completions(&arguments, Cli::command()).map(done),
        Command::Man(arguments) => shell::man(&arguments, Cli::command()).map(done),
        Command::Data(arguments) => data::run(&arguments).map(done),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", sentence(&error)));
            exit_code(&error)
        }
    }
}

/// A panic that is caught and becomes an error is not printed.
fn hide_guarded_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::data::table::read::is_guarded() {
            print(panic);
        }
    }));
}

/// Wrong usage or config is 2, all else that fails is 1.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(Error::Config(_) | Error::Key(_)) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// The error in one line. Names from files and arguments may hold what would steer a terminal: it is written out.
fn sentence(error: &anyhow::Error) -> String {
    table::printable(&error.to_string())
}

/// A line on standard error, which may be closed: that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// `descent list | head` is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io: Option<&std::io::Error> = error.downcast_ref();
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

fn start_logging(cli: &Cli, messages: &Messages) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let color = match cli.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // A dashboard has colours of its own.
        ColorChoice::Auto if matches!(&cli.command, Command::Train(train) if train.tui) => false,
        ColorChoice::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(color)
        .with_target(false)
        .without_time()
        // A line that cannot be written is no reason to stop.
        .log_internal_errors(false)
        .with_writer(messages.clone())
        .init();
}
