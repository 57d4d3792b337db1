//! The processes that a launcher has started together: `mpirun -np 4 descent train …`.

use std::sync::Arc;

use super::messages::print_line;
use crate::distributed::{Communicator, Single, gather};
use crate::error::{Error, Result};
use crate::kernels::team;
use crate::run::ranks::describe;

/// The ranks of this program, and where this one runs.
#[derive(Debug)]
pub(super) struct Ranks {
    all: Arc<dyn Communicator>,
    /// The machines that they run on.
    hosts: usize,
    /// The ranks on this machine.
    neighbours: usize,
    /// The number of this one among those.
    local: usize,
}

impl Default for Ranks {
    fn default() -> Self {
        Self { all: Arc::new(Single), hosts: 1, neighbours: 1, local: 0 }
    }
}

impl Ranks {
    /// The ranks that the launcher has started.
    ///
    /// # Errors
    /// The launcher has started several processes that know nothing of each other.
    pub(super) fn begin(timeout: u64) -> Result<Self> {
        let launched = launched(|name| std::env::var(name).ok());
        let Some(all) = launched.as_ref().and_then(|_| engine::begin(timeout)) else {
            return launched.map_or(Ok(()), |launched| launched.require_alone()).map(|()| Self::default());
        };
        if let Some(launched) = launched.filter(|_| all.size() == 1) {
            launched.require_alone()?;
        }
        let hosts = hosts(&*all)?;
        let own = &hosts[all.rank()];
        let neighbours = hosts.iter().filter(|host| *host == own).count();
        let local = hosts[..all.rank()].iter().filter(|host| *host == own).count();
        let mut distinct = hosts;
        distinct.sort_unstable();
        distinct.dedup();
        Ok(Self { all, hosts: distinct.len(), neighbours, local })
    }

    /// Checks that no launcher has started several processes: they would do the same work, each by itself.
    ///
    /// # Errors
    /// One has.
    pub(super) fn require_none(command: &str) -> Result<Self> {
        match launched(|name| std::env::var(name).ok()) {
            Some(Launched { variable, size }) if size > 1 => Err(Error::Config(format!(
                "a launcher has started {size} processes (`{variable}`), and {command} trains one run after another in \
                 one: start it without the launcher"
            ))),
            _ => Ok(Self::default()),
        }
    }

    /// The connection between the ranks.
    pub(super) fn all(&self) -> &Arc<dyn Communicator> {
        &self.all
    }

    /// Whether there is more than this process.
    pub(super) fn are_several(&self) -> bool {
        self.all.size() > 1
    }

    /// Whether this one writes the run's folder, and speaks.
    pub(super) fn is_first(&self) -> bool {
        self.all.rank() == 0
    }

    /// The number of this rank among those on its machine.
    pub(super) fn local(&self) -> usize {
        self.local
    }

    /// The threads of this rank, where no number is asked for: its share of the machine's cores.
    pub(super) fn threads(&self) -> Option<usize> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // A launcher that has bound this rank to some cores has shared them out already.
        let share = if is_bound() { cores } else { cores / self.neighbours };
        self.are_several().then(|| share.clamp(1, 8))
    }

    /// Says who trains, and warns of a rank that has fewer cores than it could have.
    pub(super) fn introduce(&self, batch: usize, quiet: bool) {
        if !self.are_several() {
            return;
        }
        if self.is_first() && !quiet {
            print_line(&describe(&*self.all, self.hosts, team::threads(), batch));
        }
        let own = allowed("/proc/self/status");
        let launcher = allowed(&format!("/proc/{}/status", std::os::unix::process::parent_id()));
        if let Some(warning) = binding_warning(own, launcher, self.neighbours) {
            print_line(&format!("rank {}: {warning}", self.all.rank()));
        }
    }

    /// Says why this rank has failed, and ends all ranks with this exit code. An error that all have is said by the first.
    pub(super) fn fail(&self, error: &str, code: u8, is_common: bool) -> ! {
        const GRACE: std::time::Duration = std::time::Duration::from_secs(1);
        if self.is_first() {
            print_line(&format!("error: {error}"));
        } else {
            // The first has a record to write of what all have.
            std::thread::sleep(if is_common { 60 * GRACE } else { GRACE });
            print_line(&format!("rank {}: error: {error}", self.all.rank()));
        }
        self.all.abort(i32::from(code))
    }
}

/// The host of each rank, as a hash of its name.
fn hosts(all: &dyn Communicator) -> Result<Vec<u64>> {
    let hash = all.host().bytes().fold(5381u64, |hash, byte| ((hash * 33) ^ u64::from(byte)) % (1 << 48));
    #[allow(clippy::cast_precision_loss, reason = "48 bits")]
    let hosts = gather(all, &[hash as f64])?;
    Ok(hosts.iter().map(|host| host[0].to_bits()).collect())
}

/// A launcher's description of this process.
#[derive(Debug, PartialEq, Eq)]
struct Launched {
    variable: &'static str,
    /// The processes that it has started; one where it does not say.
    size: usize,
}

impl Launched {
    /// Checks that it has started one process.
    fn require_alone(&self) -> Result<()> {
        let Self { variable, size } = self;
        if *size < 2 {
            return Ok(());
        }
        Err(Error::Config(format!(
            "a launcher has started {size} processes (`{variable}`), {}",
            engine::WHY_ALONE
        )))
    }
}

/// The launcher's variables in the environment: Open MPI's, MPICH's and its relatives', `PMIx`'s and Slurm's.
fn launched(variable: impl Fn(&str) -> Option<String>) -> Option<Launched> {
    let number = |name| variable(name)?.trim().parse::<usize>().ok();
    // A batch script of Slurm's has the size of its job, but is one process.
    let is_batch_script = variable("SLURM_JOB_ID").is_some() && variable("SLURM_STEP_ID").is_none();
    let slurm = |name| number(name).filter(|_| !is_batch_script);
    let found = [
        ("OMPI_COMM_WORLD_SIZE", number("OMPI_COMM_WORLD_SIZE")),
        ("PMI_SIZE", number("PMI_SIZE")),
        ("SLURM_STEP_NUM_TASKS", slurm("SLURM_STEP_NUM_TASKS")),
        ("SLURM_NTASKS", slurm("SLURM_NTASKS").filter(|_| variable("SLURM_STEP_NUM_TASKS").is_none())),
        ("PMIX_RANK", number("PMIX_RANK").map(|rank| rank + 1)),
        ("PMI_RANK", number("PMI_RANK").map(|rank| rank + 1)),
    ];
    let found = found.into_iter().filter_map(|(variable, size)| Some(Launched { variable, size: size? }));
    // Of equal sizes the first.
    found.reduce(|most, next| if next.size > most.size { next } else { most })
}

/// The cores that a process may run on, by the file of its status.
fn allowed(status: &str) -> Option<usize> {
    let text = std::fs::read_to_string(status).ok()?;
    let mask = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed:"))?;
    Some(mask.chars().filter_map(|digit| digit.to_digit(16)).map(|bits| bits.count_ones() as usize).sum())
}

/// Whether the launcher has bound this rank to fewer cores than it has itself.
fn is_bound() -> bool {
    let launcher = allowed(&format!("/proc/{}/status", std::os::unix::process::parent_id()));
    matches!((allowed("/proc/self/status"), launcher), (Some(own), Some(launcher)) if own < launcher)
}

/// The problem of the cores that a rank is bound to: a single one, although its share of the launcher's is larger.
fn binding_warning(own: Option<usize>, launcher: Option<usize>, neighbours: usize) -> Option<String> {
    let share = launcher? / neighbours.max(1);
    (own? == 1 && share > 1).then(|| {
        format!(
            "warning: the launcher has bound this rank to one core, and its share of the machine is {share}: start with \
             mpirun --bind-to none"
        )
    })
}

/// MPI.
#[cfg(feature = "mpi")]
mod engine {
    use std::sync::Arc;
    use std::time::Duration;

    use signal_hook::low_level::exit;

    use crate::cli::messages::print_line;
    use crate::distributed::{Communicator, World};

    /// Why several processes may each be alone in this program.
    pub(super) const WHY_ALONE: &str = "but the MPI that this program was built with sees one, and each would train by \
         itself: start it with the mpirun of that MPI (mpirun.openmpi or mpirun.mpich), or without a launcher";

    pub(super) fn begin(timeout: u64) -> Option<Arc<dyn Communicator>> {
        let world = World::begin()?;
        let rank = world.rank();
        if world.size() > 1 {
            world.watch(Duration::from_secs(timeout), move || {
                print_line(&format!(
                    "rank {rank}: error: no answer from the other ranks for {timeout} s (--rank-timeout); go on with: \
                     descent train --resume RUN"
                ));
                // Not a call of MPI's, which this thread may not make: the launcher ends the others.
                exit(1);
            });
            end_all_at_a_panic();
        }
        Some(Arc::new(world))
    }

    /// A panic that unwinds would end MPI, which waits for the other ranks.
    fn end_all_at_a_panic() {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            print(panic);
            if !crate::data::table::read::is_guarded() {
                exit(101);
            }
        }));
    }
}

/// A program without MPI.
#[cfg(not(feature = "mpi"))]
mod engine {
    use std::sync::Arc;

    use crate::distributed::Communicator;

    /// Why several processes are each alone in this program.
    pub(super) const WHY_ALONE: &str = "but this program was built without MPI, and each would train by itself: build it \
         with `MPICC=mpicc.openmpi cargo build --release --features mpi`, or start it without a launcher";

    #[allow(clippy::unnecessary_wraps, reason = "as with MPI")]
    pub(super) fn begin(_: u64) -> Option<Arc<dyn Communicator>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Launched> {
        launched(|name| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn launchers_are_known_by_their_variables() {
        let several = |variable, size| Some(Launched { variable, size });
        assert_eq!(of(&[]), None);
        assert_eq!(
            of(&[("OMPI_COMM_WORLD_SIZE", "4"), ("PMIX_RANK", "0")]),
            several("OMPI_COMM_WORLD_SIZE", 4)
        );
        assert_eq!(of(&[("PMI_SIZE", "2"), ("PMI_RANK", "1")]), several("PMI_SIZE", 2));
        assert_eq!(of(&[("PMIX_RANK", "1")]), several("PMIX_RANK", 2));
        assert_eq!(of(&[("SLURM_NTASKS", "8")]), several("SLURM_NTASKS", 8));
        let step = [("SLURM_JOB_ID", "7"), ("SLURM_STEP_ID", "0"), ("SLURM_NTASKS", "8")];
        assert_eq!(of(&step), several("SLURM_NTASKS", 8));
        // srun -n 1 within a job of 8, and the job's script itself.
        assert_eq!(
            of(&[&step[..], &[("SLURM_STEP_NUM_TASKS", "1")]].concat()),
            several("SLURM_STEP_NUM_TASKS", 1)
        );
        assert_eq!(of(&[("SLURM_JOB_ID", "7"), ("SLURM_NTASKS", "8")]), None);
        assert_eq!(of(&[("OMPI_COMM_WORLD_SIZE", "four")]), None);
    }

    #[test]
    fn a_rank_bound_to_one_core_is_warned_of_where_it_could_have_more() {
        assert!(binding_warning(Some(1), Some(16), 2).is_some_and(|said| said.contains("--bind-to none")));
        assert_eq!(binding_warning(Some(1), Some(2), 2), None);
        assert_eq!(binding_warning(Some(8), Some(16), 2), None);
        assert_eq!(binding_warning(None, Some(16), 2), None);
    }
}
