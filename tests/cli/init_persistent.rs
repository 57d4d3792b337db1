//! `descent init` on series of which the last value is a good forecast, or is none: `subtract_last`.

use super::init_series::{Day, days, trained};

/// Values from a normal distribution, by Box and Muller's method on the multiples of two irrational numbers.
fn noise(at: usize) -> f64 {
    let at = f64::from(u32::try_from(at + 1).unwrap());
    let (radius, angle) = ((at * 0.754_877_666).fract(), (at * 0.569_840_291).fract());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// Two stores of other sizes, each of noise around its own mean: N(100, 10) and N(1000, 10). A network knows one mean of both;
/// the last value tells it the store. On two draws of these the skill was 0.26 and 0.25 with the option, 0.25 and 0.12 without.
#[test]
fn stores_of_other_sizes_are_predicted_from_their_last_values() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |means: [f64; 2]| {
        let row = move |day: Day| {
            [("a", means[0]), ("b", means[1])].map(|(store, mean)| {
                let value = mean + 10.0 * noise(2 * day.number * day.number + usize::from(store == "b"));
                format!("{},{store},{value:.3}", day.text)
            })
        };
        let rows = days(400).into_iter().flat_map(row);
        format!("date,store,y\n{}\n", rows.collect::<Vec<_>>().join("\n"))
    };
    let config = trained(folder.path(), &rows([100.0, 1000.0]), "y");
    assert_eq!(config["data"]["name"].as_str(), Some("timeseries"));
    assert_eq!(config["data"]["subtract_last"].as_bool(), Some(true), "{config}");
    // Of the same size they are noise.
    let folder = tempfile::tempdir().unwrap();
    let config = trained(folder.path(), &rows([100.0, 101.0]), "y");
    assert!(config["data"].get("subtract_last").is_none(), "{config}");
}

/// The test part is looked at once, at the end: not to choose an option.
#[test]
fn held_out_rows_do_not_tell_whether_a_series_is_persistent() {
    let folder = tempfile::tempdir().unwrap();
    let level = |day: &Day| if day.number < 320 { 0 } else { 40 * (day.number - 320) };
    let rows = days(400)
        .into_iter()
        .map(|day| format!("{},{}.5", day.text, level(&day) + day.number * day.number * 31 % 97));
    let text = format!("date,y\n{}\n", rows.collect::<Vec<_>>().join("\n"));
    let config = trained(folder.path(), &text, "y");
    assert!(config["data"].get("subtract_last").is_none(), "{config}");
}
