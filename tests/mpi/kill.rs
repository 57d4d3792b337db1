//! kill -9 of any rank at any instant: the job ends, and resumes with the same bits.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};

use super::{Mpi, systems};
use crate::durability::{count_checkpoints, result};

/// The most that a job may live after one of its ranks has died.
const END: Duration = Duration::from_secs(10);

fn begin(mpi: Mpi, folder: &Path, ranks: usize, arguments: &[&str]) -> Child {
    let mut command = mpi.train(folder, ranks, &[&["-q"], arguments].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The processes of the program that were started with this argument.
pub(super) fn ranks_with(program: &Path, argument: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        if words.next().is_some_and(|name| Path::new(&*name) == program) && words.any(|word| word == argument)
        {
            found.push(id);
        }
    }
    found.sort_unstable();
    found
}

pub(super) fn signal(id: i32, signal: rustix::process::Signal) {
    // It may be over.
    if let Some(id) = rustix::process::Pid::from_raw(id) {
        let _ = rustix::process::kill_process(id, signal);
    }
}

/// Waits for the end of a job, so long at most.
pub(super) fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Waits until no process of the program with this argument is left, so long at most.
fn vanish_within(program: &Path, argument: &str, limit: Duration) -> bool {
    let start = Instant::now();
    while !ranks_with(program, argument).is_empty() {
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Jobs of one config, and what the undisturbed run of it has.
struct Jobs<'a> {
    folder: &'a Path,
    expected: BTreeMap<String, Vec<u8>>,
    whole: Duration,
    /// The launchers that had to be ended when their ranks were gone. Open MPI 4.1.4 with `PMIx` 4.2.2, as Debian 12 has
    /// them, sometimes waits for ever for a lock of its own, in `PMIx_server_finalize`, after a rank was killed while it
    /// started.
    stuck_launchers: Cell<usize>,
}

impl Jobs<'_> {
    /// Kills a rank of a job at some instant, and resumes the job with another number of ranks. Whether it was not over yet.
    fn kill_one(&self, attempt: usize, rng: &mut rand::rngs::StdRng) -> bool {
        let (out, ranks) = (format!("killed-{attempt}"), [2, 4][attempt % 2]);
        let mpis = Mpi::all();
        let mpi = mpis[attempt / 2 % mpis.len()];
        let mut job = begin(mpi, self.folder, ranks, &["c.toml", "--out", &out]);
        std::thread::sleep(self.whole.mul_f64(rng.random::<f64>()));
        let all = ranks_with(&mpi.program(), &out);
        if !all.is_empty() {
            signal(all[rng.random_range(0..all.len())], rustix::process::Signal::KILL);
        }
        assert!(vanish_within(&mpi.program(), &out, END), "{out}: a rank goes on without one of {ranks}");
        if !ends_within(&mut job, END) {
            assert!(mpi == Mpi::Open && !all.is_empty(), "{out}: the launcher of {ranks} ranks does not end");
            self.stuck_launchers.set(self.stuck_launchers.get() + 1);
            job.kill().unwrap();
        }
        let is_complete = job.wait().unwrap().success();
        // A launcher may end a moment before the ranks that it has killed, or start some after the look above.
        assert!(vanish_within(&mpi.program(), &out, END), "{out}: a rank is left");
        if is_complete {
            return false;
        }
        let run = self.folder.join(&out);
        // What left nothing to go on from is begun anew.
        let again = [1, 2, 4][attempt % 3];
        let resumed = count_checkpoints(&run) > 0;
        if !resumed {
            let _ = fs::remove_dir_all(&run);
        }
        let arguments: &[&str] = if resumed { &["--resume", &out] } else { &["c.toml", "--out", &out] };
        assert!(begin(mpi, self.folder, again, arguments).wait().unwrap().success(), "{out}");
        assert!(result(&run) == self.expected, "{out}: resumed with {again} ranks, it differs");
        fs::remove_dir_all(&run).unwrap();
        true
    }
}

#[test]
fn a_job_of_which_any_rank_is_killed_ends_and_resumes_with_the_same_bits() {
    const KILLS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let (_, config) = systems().into_iter().find(|(name, _)| name == "coupled").unwrap();
    fs::write(folder.path().join("c.toml"), config + "shards = 4\ncheckpoint_every = 3\n").unwrap();
    assert!(begin(Mpi::Open, folder.path(), 1, &["c.toml", "--out", "whole"]).wait().unwrap().success());
    let expected = result(&folder.path().join("whole"));
    let start = Instant::now();
    assert!(begin(Mpi::Open, folder.path(), 2, &["c.toml", "--out", "timed"]).wait().unwrap().success());
    let jobs =
        Jobs { folder: folder.path(), expected, whole: start.elapsed(), stuck_launchers: Cell::default() };
    let hits = (0..20 * KILLS).filter(|attempt| jobs.kill_one(*attempt, &mut rng)).take(KILLS).count();
    assert_eq!(hits, KILLS, "most jobs were over before the kill");
    // By Open MPI's default 3 of 350 kills; not one of 350 as it is set here.
    assert!(jobs.stuck_launchers.get() <= 1, "{} launchers were stuck", jobs.stuck_launchers.get());
}
