//! Lengths of schedules beside that of the run.

use super::*;
use crate::registry::FromTable;

fn plan(text: &str) -> SchedulePlan {
    SchedulePlan::from_table(text.parse().unwrap()).unwrap()
}

const RUN: RunLength = RunLength { epochs: 10, updates: 425 };

#[test]
fn a_schedule_that_ends_before_the_run_is_an_error_with_the_number_to_write() {
    for (text, key, number) in [
        ("name = 'one_cycle'\ntotal_steps = 100\ninterval = 'step'", "total_steps", "write 425"),
        ("name = 'one_cycle'\ntotal_steps = 9", "total_steps", "write 10"),
        ("name = 'cosine_annealing'\nT_max = 1", "T_max", "write 10"),
        ("name = 'cosine_annealing'\nT_max = 424\ninterval = 'step'", "T_max", "write 425"),
        ("name = 'polynomial'\ntotal_iters = 5", "total_iters", "write 10"),
        ("name = 'linear'\nend_factor = 0.0\ntotal_iters = 5", "total_iters", "write 10"),
        (
            "name = 'sequential'\nmilestones = [3]\nschedules = [{ name = 'linear', total_iters = 3 }, \
             { name = 'cosine_annealing', T_max = 6 }]",
            "schedules[1].T_max",
            "write 7",
        ),
        (
            "name = 'sequential'\nmilestones = [5]\nschedules = [{ name = 'polynomial', total_iters = 2 }, \
             { name = 'constant' }]",
            "schedules[0].total_iters",
            "write 5",
        ),
    ] {
        let error = plan(text).filled(RUN).check_length(RUN).unwrap_err();
        assert_eq!(error.path, format!("schedule.{key}"));
        assert!(error.problem.contains(number), "{text}: {}", error.problem);
    }
}

#[test]
fn a_length_that_is_not_reached_is_a_warning() {
    for (text, keys) in [
        ("name = 'one_cycle'\ntotal_steps = 11", &["total_steps"][..]),
        ("name = 'cosine_annealing'\nT_max = 426\ninterval = 'step'", &["T_max"]),
        ("name = 'polynomial'\ntotal_iters = 20", &["total_iters"]),
        ("name = 'linear'\ntotal_iters = 11", &["total_iters"]),
        ("name = 'constant'\ntotal_iters = 11", &["total_iters"]),
        // Its factor holds for all ten epochs.
        ("name = 'constant'\ntotal_iters = 10", &["total_iters"]),
        ("name = 'step'\nstep_size = 10", &["step_size"]),
        ("name = 'multi_step'\nmilestones = [5, 9, 10, 40]", &["milestones[2]", "milestones[3]"]),
        ("name = 'cyclic'", &["step_size_up"]),
        ("name = 'cosine_annealing_warm_restarts'\nT_0 = 11", &["T_0"]),
        ("name = 'cosine_annealing'\nwarmup_steps = 500", &["warmup_steps"]),
        ("warmup_steps = 500", &["warmup_steps"]),
        (
            "name = 'sequential'\nmilestones = [4, 10]\nschedules = [{ name = 'linear' }, \
             { name = 'cosine_annealing' }, { name = 'constant' }]",
            &["milestones[1]", "schedules[0].total_iters"],
        ),
        (
            "name = 'sequential'\nmilestones = [3]\nschedules = [{ name = 'linear', total_iters = 5 }, \
             { name = 'exponential' }]",
            &["schedules[0].total_iters"],
        ),
    ] {
        let found = plan(text).filled(RUN).check_length(RUN).unwrap();
        let found: Vec<String> = found.into_iter().map(|warning| warning.path).collect();
        let keys: Vec<String> = keys.iter().map(|key| format!("schedule.{key}")).collect();
        assert_eq!(found, keys, "{text}");
    }
}

#[test]
fn torchs_default_of_five_steps_is_a_warning_in_a_shorter_run() {
    for (epochs, name, warns) in [
        (3, "constant", true),
        (5, "constant", true),
        (6, "constant", false),
        (3, "linear", true),
        (5, "linear", false),
    ] {
        let run = RunLength { epochs, updates: 425 };
        let found = plan(&format!("name = '{name}'")).filled(run).check_length(run).unwrap();
        assert_eq!(found.len(), usize::from(warns), "{name} in {epochs}: {found:?}");
    }
}

#[test]
fn lengths_that_fit_and_lengths_that_are_left_out_say_nothing() {
    for text in [
        "name = 'one_cycle'\ninterval = 'step'",
        "name = 'one_cycle'\ntotal_steps = 10",
        "name = 'cosine_annealing'",
        "name = 'cosine_annealing'\ninterval = 'step'\nwarmup_steps = 20",
        "name = 'polynomial'",
        "name = 'linear'",
        "name = 'linear'\nend_factor = 0.0",
        "name = 'linear'\ntotal_iters = 3",
        "name = 'constant'",
        "name = 'step'\nstep_size = 3",
        "name = 'multi_step'\nmilestones = [3, 9]",
        "name = 'reduce_on_plateau'",
        "name = 'cosine_annealing_warm_restarts'\nT_0 = 3",
        "name = 'sequential'\nmilestones = [3]\nschedules = [{ name = 'linear', total_iters = 3 }, \
         { name = 'cosine_annealing' }]",
    ] {
        assert_eq!(plan(text).filled(RUN).check_length(RUN).unwrap(), [], "{text}");
    }
}

/// `CosineAnnealingLR(T_max=10)` of torch, and that of `SequentialLR` from the third epoch on with `T_max=7`.
#[test]
fn a_length_that_is_left_out_is_the_runs() {
    use crate::optim::schedule::{Schedules, cosine_annealing::CosineAnnealing};
    let Some(Schedules::CosineAnnealing(CosineAnnealing { T_max, .. })) =
        plan("name = 'cosine_annealing'").filled(RUN).schedule
    else {
        panic!("a cosine")
    };
    assert_eq!(T_max, Some(10));
    let text = "name = 'sequential'\nmilestones = [3]\nschedules = [{ name = 'constant', factor = 1.0 }, \
                { name = 'cosine_annealing' }]";
    let Some(schedule) = plan(text).filled(RUN).schedule else { panic!("a schedule") };
    // 0.1 (1 + cos(pi k / 7)) / 2
    let half = |k: f64| 0.05 * (1.0 + (std::f64::consts::PI * k / 7.0).cos());
    for (k, expected) in [(2, 0.1), (3, 0.1), (5, half(2.0)), (9, half(6.0))] {
        assert!((schedule.lr(0.1, k) - expected).abs() < 1e-12, "{k}");
    }
}

#[test]
fn weight_decay_and_dropout_follow_flat_cos_over_the_run() {
    let plan =
        plan("interval = 'step'\nweight_decay = 'flat_cos'\ndropout = { name = 'flat_cos', flat = 0.0 }");
    let plan = plan.filled(RunLength { epochs: 3, updates: 12 });
    let at = |step| plan.at(0.5, ScheduleTime { step, ..ScheduleTime::FIRST });
    // pytabkit's flat_cos at k / 12.
    for (step, weight_decay) in [(1, 1.0), (7, 1.0), (10, 0.5), (13, 0.0)] {
        assert!((at(step).weight_decay - weight_decay).abs() < 1e-15, "step {step}");
    }
    assert!((at(7).dropout - 0.5).abs() < 1e-15 && (at(7).lr - 0.5).abs() < 1e-15);
}
