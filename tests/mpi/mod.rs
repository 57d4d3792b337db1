//! Ranks: `mpirun -np N descent train`. `make mpi-check` runs these tests with what they need.
//!
//! `DESCENT_TEST_MPICH` names the program as MPICH's compiler made it; without it what needs two MPIs is left out.

mod bits;
mod faults;
mod kill;
mod refused;
mod seen;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{executable, repository};
use crate::durability::{MORE, SYSTEMS, config};

/// The MPI that starts ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mpi {
    Open,
    Mpich,
}

/// The program by MPICH's compiler.
fn mpich() -> Option<PathBuf> {
    std::env::var_os("DESCENT_TEST_MPICH").map(PathBuf::from)
}

impl Mpi {
    /// The MPIs that there are.
    fn all() -> Vec<Self> {
        if mpich().is_some() { vec![Self::Open, Self::Mpich] } else { vec![Self::Open] }
    }

    /// The program as it was built for this MPI.
    fn program(self) -> PathBuf {
        match self {
            Self::Open => executable(),
            Self::Mpich => mpich().unwrap(),
        }
    }

    /// The launcher, with more ranks than cores.
    fn launcher(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Open => Command::new("mpirun.openmpi"),
            Self::Mpich => Command::new("mpirun.mpich"),
        };
        command.current_dir(folder);
        if self == Self::Open {
            command.args(["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]);
            command.args(["--mca", "btl", "self,vader", "--mca", "plm_rsh_agent", "false"]);
            // With the default, PMIx 4.2.2 can lock itself up after a rank was killed.
            command.env("PMIX_MCA_gds", "hash");
        } else {
            command.args(["-launcher", "fork"]);
        }
        command
    }

    /// `descent train` with these arguments on so many ranks of a thread each; one is started without a launcher.
    fn train(self, folder: &Path, ranks: usize, arguments: &[&str]) -> Command {
        let mut command = if ranks == 1 {
            let mut command = Command::new(self.program());
            command.current_dir(folder);
            command
        } else {
            let mut command = self.launcher(folder);
            command.args(["-np", &ranks.to_string()]).arg(self.program());
            command
        };
        command.args(["train", "--threads", "1"]).args(arguments);
        command
    }
}

/// Runs a command that must succeed.
fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    output
}

/// What a command has said on standard error.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A command on each rank, as mpirun takes several programs: `-np 1 a … : -np 1 b …`.
fn each<'a>(folder: &Path, commands: impl IntoIterator<Item = (PathBuf, Vec<&'a str>)>) -> Command {
    let mut command = Mpi::Open.launcher(folder);
    for (rank, (program, arguments)) in commands.into_iter().enumerate() {
        command.args((rank > 0).then_some(OsStr::new(":")));
        command.args(["-np", "1"]).arg(program).args(arguments);
    }
    command
}

/// The eight systems whose bits are compared, by name: `train.shards` is 4.
fn systems() -> Vec<(String, String)> {
    let named = |wanted: &str| {
        let all = SYSTEMS.iter().chain(MORE);
        let (name, sections) = all.into_iter().find(|(name, _)| *name == wanted).unwrap();
        ((*name).to_owned(), (*sections).to_owned())
    };
    let clipped = "[model]\nname = 'mlp'\n[optimizer]\nname = 'adam'\n[schedule]\nname = 'cosine_annealing'\n\
                   T_max = 100\ninterval = 'step'\n[train]\nclip_grad_norm = 0.5\n";
    let coupled = "[model]\nname = 'mlp'\nhidden = [16, 12]\nbatch_norm = true\ndropout = 0.3\n[optimizer]\n\
                   name = 'adam'\n[train]\n";
    let gru = "[model]\nname = 'gru'\nhidden_size = 12\n[optimizer]\nname = 'adam'\n[train]\n";
    let ema = "[model]\nname = 'mlp'\nbatch_norm = true\n[optimizer]\nname = 'nadam'\n[train]\n\
               average = { name = 'ema', decay = 0.9 }\nearly_stopping = { patience = 1 }\n";
    let own = [("clipped", clipped), ("coupled", coupled), ("gru", gru), ("ema", ema)];
    let mut systems: Vec<(String, String)> = vec![named("momentum"), named("groups"), named("swa")];
    systems.extend(own.map(|(name, sections)| (name.to_owned(), sections.to_owned())));
    let mut systems: Vec<(String, String)> =
        systems.into_iter().map(|(name, sections)| (name, config(&sections, 400))).collect();
    let table = format!(
        "seed = 3\n[data]\nname = 'csv'\npath = '{}'\ntarget = 'diagnosis'\nsplit_column = 'split'\nvalidation = 0.2\n\
         normalize = 'standard'\n[model]\nname = 'mlp'\nhidden = [16]\n[loss]\nname = 'cross_entropy'\n[optimizer]\n\
         name = 'adamw'\n[train]\nbatch_size = 50\nepochs = 3\n",
        repository("tests/tables/breast-cancer.csv").display()
    );
    systems.push(("table".to_owned(), table));
    systems
}
