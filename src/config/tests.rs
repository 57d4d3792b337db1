//! Configs and their errors.

use super::*;

const GOOD: &str = "seed = 1\n[data]\nname = 'mnist-sample'\n[model]\nname = 'mlp'\nhidden = [3]\n\
                    [loss]\nname = 'cross_entropy'\n[optimizer]\nname = 'adam'\nbetas = [0.8, 0.9]\n\
                    [train]\nbatch_size = 'full'\n";

fn parse(text: &str, overrides: &[&str]) -> Result<Config> {
    Config::parse(text, "x.toml", overrides)
}

fn error(text: &str, overrides: &[&str]) -> String {
    parse(text, overrides).unwrap_err().to_string()
}

#[test]
fn a_resolved_config_reads_back_as_itself() {
    let config = parse(GOOD, &[]).unwrap();
    assert_eq!(parse(&config.to_toml().unwrap(), &[]).unwrap(), config);
}

#[test]
fn every_override_is_typed_and_named_in_errors() {
    let config = parse(GOOD, &["optimizer.lr=0.5", "model.hidden=[4, 5]", "data.name=mnist"]).unwrap();
    assert!((config.optimizer.rule.common().lr - 0.5).abs() < 1e-12);
    assert_eq!(config.source.name(), "mnist");
    assert!(error(GOOD, &["optimizer.lr=-1"]).starts_with("--set optimizer.lr: `optimizer.lr` is -1"));
    assert!(error(GOOD, &["optimizer.lr"]).contains("KEY=VALUE"));
    assert!(error(GOOD, &["seed.x=1"]).contains("seed"));
}

#[test]
fn an_override_names_a_column_with_a_dot_in_quotes() {
    let text = GOOD.replace("name = 'mnist-sample'", "name = 'csv'\npath = 'a.csv'\ntarget = 'y'");
    let kind = |name: &str| format!("data.columns.{name}=ignore");
    let config = parse(&text, &[&kind("\"sepal.length\""), &kind("'a=b'")]).unwrap();
    let written: Table = config.to_toml().unwrap().parse().unwrap();
    let columns = written["data"]["columns"].as_table().unwrap();
    assert_eq!(columns.keys().collect::<Vec<_>>(), ["a=b", "sepal.length"]);
    let error = error(&text, &["data.columns.\"sepal.length\"=nonsense"]);
    assert!(error.starts_with("--set data.columns.sepal.length: "), "{error}");
    assert!(parse(&text, &[&kind("'sepal.length'"), "data.columns.'sepal.length'=null"]).is_ok());
}

#[test]
fn paths_are_relative_to_the_configs_folder_and_in_overrides_to_the_current_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let text = "[data]\nname = 'csv'\npath = '../a.csv'\ntest = 'sub/b.csv'\ntarget = 'y'\n[model]\nname = 'mlp'\n\
                [loss]\nname = 'mse'\n[optimizer]\nname = 'adam'\n";
    std::fs::create_dir(root.join("configs")).unwrap();
    let file = root.join("configs/c.toml");
    std::fs::write(&file, text).unwrap();
    let data = |overrides: &[&str]| {
        let config = Config::read(&file, overrides).unwrap();
        let table: Table = config.to_toml().unwrap().parse().unwrap();
        ["path", "test"].map(|key| table["data"][key].clone())
    };
    let at = |path: PathBuf| Value::String(path.to_str().unwrap().to_owned());
    let here = std::env::current_dir().unwrap();
    assert_eq!(data(&[]), [at(root.join("a.csv")), at(root.join("configs/sub/b.csv"))]);
    let home = std::env::home_dir().unwrap();
    let moved = data(&["data.path=c (1).csv", "data.test=~/b.csv"]);
    assert_eq!(moved, [at(here.join("c (1).csv")), at(home.join("b.csv"))]);
    let table = data(&["data={ name = 'csv', path = 'd.csv', target = 'y', test = 0.5 }"]);
    assert_eq!(table, [at(here.join("d.csv")), Value::Float(0.5)]);
}

#[test]
fn mistakes_name_line_key_and_nearest() {
    let cases = [
        ("betas", "betaz", "x.toml, line 11: `optimizer.betaz`", "did you mean `betas`"),
        ("[0.8, 0.9]", "[0.8, 1.5]", "x.toml, line 11: `optimizer.betas[1]`", "less than 1"),
        ("[0.8, 0.9]", "'x'", "x.toml, line 11: `optimizer.betas`", "expected a list"),
        ("'adam'", "'adem'", "x.toml, line 10: `optimizer.name`", "did you mean `adam`"),
        ("'full'", "0", "x.toml, line 13: `train.batch_size`", "1 or more"),
        ("seed = 1", "seed = -1", "x.toml, line 1: `seed`", "0 or more"),
        ("[train]", "[trane]", "x.toml, line 12: `trane`", "did you mean `train`"),
        ("hidden = [3]", "hidden = [0]", "x.toml, line 6: `model.hidden[0]`", "is 0"),
        ("[loss]\nname = 'cross_entropy'\n", "", "x.toml: `loss`", "missing"),
        ("name = 'mnist-sample'", "name = 'mnist-sample'\nlimit = 0", "line 4: `data.limit`", "is 0"),
        ("name = 'mnist-sample'", "nmae = 3", "`data.name`", "missing"),
        ("[3]", "[3", "x.toml, line", ""),
    ];
    for (from, to, place, hint) in cases {
        let message = error(&GOOD.replace(from, to), &[]);
        assert!(message.contains(place) && message.contains(hint), "{message}");
    }
}
