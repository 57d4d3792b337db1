//! Ranks of a run: processes that share its batches. Each has all rows and the network. Rank 0 owns the folder and
//! speaks; no rank waits for the others inside code that it alone runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Device, Tensor};

use super::options::{Interrupt, RunOptions};
use crate::config::Config;
use crate::data::{Fingerprint, Splits};
use crate::distributed::{Communicator, gather};
use crate::error::{Error, Result};
use crate::files::Checksum;
use crate::names::counted;
use crate::trainer::{RankRequest, Trainer};

/// The result of this rank, if all ranks succeeded. The first one that failed keeps its own error and reports it.
///
/// # Errors
/// Its own, or [`Error::OtherRank`].
pub(crate) fn agree<T>(ranks: &dyn Communicator, done: Result<T>) -> Result<T> {
    if ranks.size() == 1 {
        return done;
    }
    let code = done.as_ref().err().map_or(0, Error::exit_code);
    let codes = gather(ranks, &[f64::from(code)])?;
    let Some(first) = codes.iter().position(|code| code[0] > 0.0) else { return done };
    match done {
        Err(error) if first == ranks.rank() => Err(error),
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an exit code")]
        _ => Err(Error::OtherRank { code: codes[first][0] as u8 }),
    }
}

/// Something that must be the same on all ranks, and its hash.
struct Same {
    what: &'static str,
    hash: f64,
}

impl Same {
    fn new(what: &'static str, text: &str) -> Self {
        // 48 of 256 bits, which a floating-point number holds.
        let digits = &Checksum::of(text.as_bytes()).sha256[..12];
        #[allow(clippy::cast_precision_loss, reason = "48 bits")]
        let hash = u64::from_str_radix(digits, 16).unwrap_or(0) as f64;
        Self { what, hash }
    }
}

/// Checks that all ranks run the same program by the same config, before they read its data together.
///
/// # Errors
/// The difference, and the rank that has it.
pub(super) fn require_same_config(ranks: &dyn Communicator, config: &Config) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    require_same(ranks, plan_hashes(config))
}

/// Checks that all ranks train from the same weights on the same rows.
///
/// # Errors
/// The difference, and the rank that has it.
pub(super) fn require_same_rows(ranks: &dyn Communicator, splits: &Splits, trainer: &Trainer) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    require_same(ranks, row_hashes(splits, trainer))
}

fn require_same(ranks: &dyn Communicator, own: Result<Vec<Same>>) -> Result<()> {
    let own = agree(ranks, own)?;
    let all = gather(ranks, &own.iter().map(|same| same.hash).collect::<Vec<_>>())?;
    let differs =
        |same: &usize| all.iter().position(|hashes| hashes[*same].total_cmp(&all[0][*same]).is_ne());
    let Some((same, rank)) = (0..own.len()).find_map(|same| Some((same, differs(&same)?))) else {
        return Ok(());
    };
    if ranks.rank() > 0 {
        return Err(Error::OtherRank { code: 2 });
    }
    let what = own[same].what;
    Err(Error::Config(format!(
        "rank {rank} has {what} than rank 0: start the same program with the same arguments on all hosts, where each finds \
         the same files"
    )))
}

fn plan_hashes(config: &Config) -> Result<Vec<Same>> {
    let program = match std::env::current_exe() {
        Ok(path) => Checksum::of_file(&path)?.sha256,
        Err(_) => env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(vec![Same::new("another program", &program), Same::new("another config", &config.to_toml()?)])
}

fn row_hashes(splits: &Splits, trainer: &Trainer) -> Result<Vec<Same>> {
    let rows = Fingerprint::of(splits)?;
    let rows = serde_json::to_string(&rows).map_err(|e| Error::Config(e.to_string()))?;
    let mut weights = trainer.steps().to_string();
    for tensor in trainer.snapshot()?.tensors().flatten() {
        let (name, values) = (tensor.0, numbers(tensor.1)?);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        weights.extend(["\n", name, " ", &Checksum::of(&bytes).sha256]);
    }
    Ok(vec![
        Same::new("other data", &rows),
        Same::new("another checkpoint or other initial weights", &weights),
    ])
}

/// The elements of a tensor.
fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// The first line of a run of several ranks: `4 ranks on 2 hosts, 2 threads each; 16 rows each of 64`.
pub(crate) fn describe(ranks: &dyn Communicator, hosts: usize, threads: usize, batch: usize) -> String {
    let size = ranks.size();
    let (least, most) = (batch / size, batch.div_ceil(size));
    let rows = if least == most { least.to_string() } else { format!("{least} or {most}") };
    let (hosts, threads) = (counted(hosts, "host"), counted(threads, "thread"));
    format!("{size} ranks on {hosts}, {threads} each; {rows} rows each of {batch}")
}

/// Ends updates and evaluations early when the run is interrupted or its time is up. Several ranks agree on that, and on
/// other requests to one of them; returns the flag of the time that they have agreed on.
pub(super) fn end_by(
    trainer: &mut Trainer,
    options: &mut RunOptions,
    is_time_up: impl Fn() -> bool + Send + Sync + 'static,
) -> Option<Arc<AtomicBool>> {
    let agreed = (options.ranks.size() > 1).then(|| Arc::new(AtomicBool::new(false)));
    if let Some(agreed) = &agreed {
        options.interrupt = agree_on(trainer, &options.interrupt, is_time_up, agreed);
        let agreed = Arc::clone(agreed);
        trainer.limit_by(move || agreed.load(Ordering::Relaxed));
    } else {
        trainer.limit_by(is_time_up);
    }
    trainer.interrupt_by(options.interrupt.stop_flag());
    agreed
}

/// Lets the ranks agree on whether to stop, to save, and that the time is up. Returns the interrupt of all ranks.
fn agree_on(
    trainer: &mut Trainer,
    asked: &Interrupt,
    is_time_up: impl Fn() -> bool + Send + Sync + 'static,
    time_is_up: &Arc<AtomicBool>,
) -> Interrupt {
    let agreed = Interrupt::default();
    let (stop, save) = (asked.clone(), asked.clone());
    trainer.agree_on(vec![
        RankRequest { asked: Arc::new(move || stop.is_stopping()), agreed: agreed.stop_flag() },
        RankRequest { asked: Arc::new(move || save.take_save()), agreed: agreed.save_flag() },
        RankRequest { asked: Arc::new(is_time_up), agreed: Arc::clone(time_is_up) },
    ]);
    agreed
}
