//! Suggestions for an unknown name.

use super::synonyms::SYNONYMS;

/// The least similarity, by Jaro and Winkler, at which a name is suggested.
const LIKELY: f64 = 0.75;

/// The suffixes of PyTorch's class names.
const SUFFIXES: [&str; 3] = ["lr", "loss", "classifier"];

/// The known name that `got` most likely means: the same but for case and underscores, the same thing in another tool,
/// or else the most similar one.
pub fn nearest<'a>(got: &str, known: &[&'a str]) -> Option<&'a str> {
    let got = plain(got);
    let same = |word: &str| known.iter().copied().find(|name| plain(name) == word);
    let stems = SUFFIXES.iter().filter_map(|suffix| got.strip_suffix(suffix));
    let synonyms = SYNONYMS.iter().filter(|(foreign, _)| *foreign == got);
    same(&got)
        .or_else(|| stems.into_iter().find_map(same))
        .or_else(|| synonyms.into_iter().find_map(|(_, own)| known.iter().copied().find(|name| name == own)))
        .or_else(|| similar(&got, known))
}

/// " did you mean `adam`?", or nothing.
pub fn did_you_mean(got: &str, known: &[&str]) -> String {
    nearest(got, known).map_or(String::new(), |name| format!(" did you mean `{name}`?"))
}

/// Whether two names differ in case and underscores only.
pub fn is_same(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

fn similar<'a>(got: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &&'a str| (strsim::jaro_winkler(got, &plain(name)), *name);
    let best = known.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > LIKELY).map(|(_, name)| name)
}

/// The name in lower case, letters and digits alone.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_underscores_count_for_nothing() {
        for (got, expected) in [
            ("AdamW", "adamw"),
            ("Adam", "adam"),
            ("OneCycle", "one_cycle"),
            ("ONE-CYCLE", "one_cycle"),
            ("ReLU", "relu"),
            ("xavier_normal_", "xavier_normal"),
            ("t_max", "T_max"),
        ] {
            let known = ["adam", "adamw", "one_cycle", "relu", "xavier_normal", "xavier_uniform", "T_max"];
            assert_eq!(nearest(got, &known), Some(expected), "{got}");
        }
    }

    #[test]
    fn what_other_tools_call_a_thing_is_understood() {
        let schedules = ["step", "multi_step", "one_cycle", "cosine_annealing", "reduce_on_plateau"];
        for (got, expected) in [
            ("StepLR", "step"),
            ("MultiStepLR", "multi_step"),
            ("OneCycleLR", "one_cycle"),
            ("CosineAnnealingLR", "cosine_annealing"),
            ("cosine", "cosine_annealing"),
            ("ReduceLROnPlateau", "reduce_on_plateau"),
        ] {
            assert_eq!(nearest(got, &schedules), Some(expected), "{got}");
        }
        let losses = ["cross_entropy", "nll", "bce_with_logits", "mse", "l1"];
        for (got, expected) in [
            ("CrossEntropyLoss", "cross_entropy"),
            ("sparse_categorical_crossentropy", "cross_entropy"),
            ("BCEWithLogitsLoss", "bce_with_logits"),
            ("binary_crossentropy", "bce_with_logits"),
            ("mean_squared_error", "mse"),
            ("mae", "l1"),
        ] {
            assert_eq!(nearest(got, &losses), Some(expected), "{got}");
        }
        assert_eq!(nearest("Logistic", &["relu", "sigmoid", "silu"]), Some("sigmoid"));
        assert_eq!(nearest("he_normal", &["zeros", "kaiming_normal"]), Some("kaiming_normal"));
    }

    #[test]
    fn nothing_is_suggested_where_nothing_is_near() {
        assert_eq!(nearest("banana", &["adam", "sgd"]), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
