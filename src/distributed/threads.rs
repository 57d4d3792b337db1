//! Ranks as threads of one process, for tests.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use super::{Communicator, Numbers};

/// Ranks as threads of one process.
#[derive(Debug)]
pub(crate) struct ThreadRanks {
    rank: usize,
    barrier: Arc<Barrier>,
    /// The terms of each rank in a sum.
    places: Arc<Vec<Mutex<Vec<f64>>>>,
    /// The bytes that a rank sends, and how often one has.
    message: Arc<Mutex<Vec<u8>>>,
    pub(crate) broadcasts: Arc<AtomicUsize>,
}

impl ThreadRanks {
    /// All ranks.
    pub(crate) fn new(size: usize) -> Vec<Self> {
        let barrier = Arc::new(Barrier::new(size));
        let places = Arc::new((0..size).map(|_| Mutex::default()).collect());
        let (message, broadcasts) = (Arc::default(), Arc::default());
        let rank = |rank| Self {
            rank,
            barrier: Arc::clone(&barrier),
            places: Arc::clone(&places),
            message: Arc::clone(&message),
            broadcasts: Arc::clone(&broadcasts),
        };
        (0..size).map(rank).collect()
    }

    /// The numbers of all ranks, in the order of the ranks.
    fn gather(&self, own: Vec<f64>) -> Vec<Vec<f64>> {
        *self.places[self.rank].lock().unwrap() = own;
        self.barrier.wait();
        let all = self.places.iter().map(|place| place.lock().unwrap().clone()).collect();
        self.barrier.wait();
        all
    }

    fn exchange(&self, numbers: Numbers<'_>, join: impl Fn(&[Vec<f64>], usize) -> f64) {
        match numbers {
            Numbers::F32(numbers) => {
                let all = self.gather(numbers.iter().map(|x| f64::from(*x)).collect());
                #[allow(clippy::cast_possible_truncation, reason = "rounded once")]
                numbers.iter_mut().enumerate().for_each(|(at, x)| *x = join(&all, at) as f32);
            }
            Numbers::F64(numbers) => {
                let all = self.gather(numbers.to_vec());
                numbers.iter_mut().enumerate().for_each(|(at, x)| *x = join(&all, at));
            }
        }
    }
}

impl Communicator for ThreadRanks {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.places.len()
    }

    fn host(&self) -> String {
        String::new()
    }

    fn sum(&self, numbers: Numbers<'_>) -> io::Result<()> {
        self.exchange(numbers, |all, at| all.iter().map(|own| own[at]).sum());
        Ok(())
    }

    fn add(&self, numbers: Numbers<'_>, of: usize) -> io::Result<()> {
        self.exchange(numbers, |all, at| all[self.rank][at] + all[of][at]);
        Ok(())
    }

    fn broadcast(&self, numbers: Numbers<'_>, root: usize) -> io::Result<()> {
        self.exchange(numbers, |all, at| all[root][at]);
        Ok(())
    }

    fn broadcast_bytes(&self, bytes: &mut Vec<u8>, root: usize) -> io::Result<()> {
        if self.rank == root {
            self.broadcasts.fetch_add(1, Ordering::Relaxed);
            *self.message.lock().unwrap() = std::mem::take(bytes);
        }
        self.barrier.wait();
        bytes.clone_from(&self.message.lock().unwrap());
        self.barrier.wait();
        Ok(())
    }

    fn barrier(&self) -> io::Result<()> {
        self.barrier.wait();
        Ok(())
    }

    fn abort(&self, code: i32) -> ! {
        panic!("rank {} gives up with {code}", self.rank)
    }
}
