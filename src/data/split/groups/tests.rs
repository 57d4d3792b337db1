use super::super::{Bag, Fold};
use super::*;

/// Groups with rows of two classes: `(class 0, class 1)` each.
fn groups(of: &[(u64, u64)]) -> Groups {
    let mut groups = Groups::new(2);
    for (group, (zeros, ones)) in of.iter().enumerate() {
        (0..*zeros).for_each(|_| groups.add(&group.to_string(), 0));
        (0..*ones).for_each(|_| groups.add(&group.to_string(), 1));
    }
    groups
}

fn parts(of: &[(u64, u64)], plan: &SplitPlan, seed: u64) -> Vec<Part> {
    let assigned = groups(of).assign(plan, seed).unwrap();
    (0..of.len()).map(|group| assigned.part(&group.to_string()).unwrap()).collect()
}

fn rows(of: &[(u64, u64)], parts: &[Part], part: Part) -> (u64, u64) {
    let own = of.iter().zip(parts).filter(|(_, own)| **own == part);
    own.fold((0, 0), |sum, (rows, _)| (sum.0 + rows.0, sum.1 + rows.1))
}

#[test]
fn parts_have_their_shares_of_every_class_as_nearly_as_groups_allow() {
    // 100 groups of 1 to 10 rows, some of one class and some of both.
    let of: Vec<(u64, u64)> = (0..100).map(|i| (i * 7 % 11 * (i % 3 % 2), 1 + i * 5 % 9)).collect();
    let all = rows(&of, &[Part::Train; 100], Part::Train);
    let plan = SplitPlan { test: 0.2, validation: 0.25, ..SplitPlan::default() };
    for seed in 0..5 {
        let parts = parts(&of, &plan, seed);
        for part in [Part::Test, Part::Validation] {
            let held = rows(&of, &parts, part);
            // One group, of ten rows at most, is the least that a part can differ by.
            assert!(
                held.0.abs_diff(all.0 / 5) <= 10 && held.1.abs_diff(all.1 / 5) <= 10,
                "{held:?} of {all:?}"
            );
        }
    }
    assert_ne!(parts(&of, &plan, 0), parts(&of, &plan, 1));
    assert_eq!(parts(&of, &plan, 1), parts(&of, &plan, 1));
}

#[test]
fn rare_classes_do_not_empty_a_split() {
    // 99 rows of a frequent class in each of 100 groups, and one of a rare class that no other group has.
    let mut groups = Groups::new(101);
    for group in 0..100 {
        (0..99).for_each(|_| groups.add(&group.to_string(), 0));
        groups.add(&group.to_string(), group + 1);
    }
    let plan = SplitPlan { test: 0.2, validation: 0.25, ..SplitPlan::default() };
    let assigned = groups.assign(&plan, 1).unwrap();
    let counts = [Part::Test, Part::Validation].map(|part| assigned.count(part));
    assert!(counts.iter().all(|count| (18..=22).contains(count)), "{counts:?}");
}

#[test]
fn a_large_group_leaves_the_shares_to_small_ones() {
    // 500 rows of 1,000 are one group's; 0.2 of all rows, and 0.2 of the others, are groups of ten.
    let of: Vec<(u64, u64)> = [(250, 250)].into_iter().chain([(5, 5); 50]).collect();
    let plan = SplitPlan { test: 0.2, validation: 0.2, ..SplitPlan::default() };
    for seed in 0..20 {
        let parts = parts(&of, &plan, seed);
        let held = [Part::Test, Part::Validation].map(|part| rows(&of, &parts, part));
        assert_eq!(held, [(100, 100), (80, 80)], "seed {seed}");
    }
}

#[test]
fn folds_test_every_group_once_and_are_of_like_size() {
    let of: Vec<(u64, u64)> = (0..23).map(|i| (1 + i % 5, i % 4)).collect();
    let fold = |index| SplitPlan { fold: Some(Fold { index, of: 4 }), ..SplitPlan::default() };
    let folds: Vec<Vec<Part>> = (1..=4).map(|index| parts(&of, &fold(index), 2)).collect();
    for group in 0..of.len() {
        assert_eq!(folds.iter().filter(|fold| fold[group] == Part::Test).count(), 1);
    }
    let sizes = folds.iter().map(|fold| rows(&of, fold, Part::Test)).map(|(a, b)| a + b);
    let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
    assert!(most - least <= 3, "{least} to {most}");
}

#[test]
fn runs_of_a_bag_validate_on_other_groups_each() {
    let of = vec![(2, 2); 12];
    let plan = SplitPlan { test: 0.25, ..SplitPlan::default() };
    let bag = |index| SplitPlan { bag: Some(Bag { index: Some(index), of: 3 }), ..plan };
    let runs: Vec<Vec<Part>> = (1..=3).map(|index| parts(&of, &bag(index), 7)).collect();
    for group in 0..of.len() {
        let is_tested = parts(&of, &plan, 7)[group] == Part::Test;
        let validated = runs.iter().filter(|run| run[group] == Part::Validation).count();
        assert_eq!(validated, usize::from(!is_tested));
    }
}

#[test]
fn few_groups_fill_every_part_or_are_an_error() {
    let plan = SplitPlan { test: 0.1, validation: 0.1, ..SplitPlan::default() };
    for seed in 0..20 {
        for of in [vec![(1, 1); 3], vec![(9, 1), (1, 0), (50, 50)]] {
            let parts = parts(&of, &plan, seed);
            let has = |part: Part| parts.iter().filter(|own| **own == part).count() == 1;
            assert!(has(Part::Train) && has(Part::Validation) && has(Part::Test), "{parts:?}");
        }
        let large = SplitPlan { test: 0.9, ..plan };
        assert!(parts(&[(2, 2); 6], &large, seed).contains(&Part::Train));
        let bag = SplitPlan { bag: Some(Bag { index: Some(1), of: 4 }), test: 0.9, ..SplitPlan::default() };
        assert!(parts(&[(2, 2); 6], &bag, seed).contains(&Part::Train));
    }
    let error = groups(&[(4, 4), (2, 2)]).assign(&plan, 1).unwrap_err().to_string();
    assert!(
        error.contains("data.group") && error.contains("has 2 groups, but the splits need at least 3"),
        "{error}"
    );
    let folds = SplitPlan { fold: Some(Fold { index: 1, of: 3 }), ..SplitPlan::default() };
    let error = groups(&[(4, 4), (2, 2)]).assign(&folds, 1).unwrap_err().to_string();
    assert!(error.contains("3 folds of 2 groups"), "{error}");
    let halves = SplitPlan { fold: Some(Fold { index: 2, of: 2 }), validation: 0.1, ..SplitPlan::default() };
    let error = groups(&[(90, 90), (1, 1), (1, 1), (1, 1)]).assign(&halves, 1).unwrap_err().to_string();
    assert!(error.contains("has 4 groups, but the splits need at least 5"), "{error}");
}

#[test]
fn a_limit_leaves_rows_to_train_on_unused() {
    let assigned =
        groups(&[(10, 10); 10]).assign(&SplitPlan { test: 0.5, ..SplitPlan::default() }, 1).unwrap();
    let trained = 20 * assigned.count(Part::Train);
    let assigner = assigned.assigner(&SplitPlan { limit: Some(30), ..SplitPlan::default() }, 1).unwrap();
    let limited = assigner.limited().unwrap();
    assert_eq!((limited.used, limited.of), (30, trained));
}
