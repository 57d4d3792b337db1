use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;

use super::sync::SPIN_TIME;
use super::*;

fn small_team(threads: usize) -> &'static Team {
    let team = Box::leak(Box::new(Team::new(threads, Contention::default())));
    start(team);
    team
}

#[test]
fn every_piece_is_done_once_for_any_number_of_threads_and_pieces() {
    for threads in [1, 2, 3, 7] {
        let team = small_team(threads);
        for round in 0..2000 {
            let count = round % 17;
            let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            team.run(count, &|index| {
                done[index].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
        }
    }
}

#[test]
fn a_member_begins_with_the_last_of_the_pieces_of_others() {
    // Its worker is not started.
    let team = Team::new(2, Contention::default());
    let order = Mutex::new(Vec::new());
    team.run(7, &|index| order.lock().unwrap().push(index));
    assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 6, 5, 4, 3]);
}

#[test]
fn members_that_fell_asleep_are_woken_or_done_without() {
    let team = small_team(2);
    for _ in 0..5 {
        std::thread::sleep(SPIN_TIME * 5);
        let sum = AtomicUsize::new(0);
        team.run(10, &|index| {
            sum.fetch_add(index, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 45);
    }
}

#[test]
fn leaders_at_the_same_time_and_jobs_within_jobs_are_served() {
    let team = small_team(3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let sum = AtomicUsize::new(0);
                    team.run(4, &|outer| {
                        team.run(3, &|inner| {
                            sum.fetch_add(outer * 3 + inner, Ordering::Relaxed);
                        });
                    });
                    assert_eq!(sum.into_inner(), 66);
                }
            });
        }
    });
}

#[test]
fn a_panic_in_a_piece_reaches_the_leader_and_the_team_goes_on() {
    let team = small_team(2);
    let caught = catch_unwind(AssertUnwindSafe(|| team.run(8, &|index| assert!(index != 5, "five"))));
    assert!(caught.is_err());
    let sum = AtomicUsize::new(0);
    team.run(8, &|index| {
        sum.fetch_add(index, Ordering::Relaxed);
    });
    assert_eq!(sum.into_inner(), 28);
}

#[test]
fn pieces_may_borrow_what_they_write() {
    let mut numbers = vec![0usize; 1000];
    for_each(numbers.chunks_mut(7).enumerate().collect(), |(index, chunk)| chunk.fill(index));
    assert!(numbers.iter().enumerate().all(|(at, number)| *number == at / 7));
}
