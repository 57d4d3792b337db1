//! What helps with configs and shells.

use std::fs;

use descent::config::Config;

use crate::common::{configs, fail, repository, succeed};

#[test]
fn a_config_is_checked_without_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(repository("configs/mini-batch.toml")).unwrap();
    fs::write(folder.path().join("c.toml"), &text).unwrap();
    assert_eq!(succeed(folder.path(), &["config", "check", "c.toml"]), "c.toml can be trained\n");
    let error = fail(folder.path(), &["config", "check", "c.toml", "--set", "optimizer.lrr=1"], 2);
    assert!(error.contains("did you mean `lr`"), "{error}");
    fs::write(folder.path().join("c.toml"), text.replace("[train]", "[trian]")).unwrap();
    assert!(fail(folder.path(), &["config", "check", "c.toml"], 2).contains("did you mean `train`"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_a_config_comes_to_is_shown_with_the_place_of_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let text = "seed = 4\n[data]\nname = 'waves'\nvalidation = 0.2\n[model]\nname = 'mlp'\n\
                init = { hidden = 'kaiming_normal' }\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\n\
                [[optimizer.groups]]\nmatch = '*.bias'\nlr = 0.5\n[train]\nepochs = 3\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    let set = ["--set", "optimizer.lr=0.25", "--set", "train.early_stopping={ patience = 7 }"];
    let shown = succeed(folder.path(), &[&["config", "show", "c.toml"], &set[..]].concat());
    let place = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{key}: {shown}")).split('#').nth(1).unwrap().trim()
    };
    for (key, expected) in [
        ("seed", "line 1"),
        ("validation", "line 4"),
        ("hidden", "default"),
        ("lr", "--set"),
        ("momentum", "default"),
        ("match", "line 12"),
        ("epochs", "line 16"),
        ("patience", "--set"),
        ("batch_size", "default"),
    ] {
        assert_eq!(place(key), expected, "{key}: {shown}");
    }
    // An initialiser by its name stands where the name does.
    assert!(
        shown.lines().any(|line| line.starts_with("name = \"kaiming_normal\"") && line.ends_with("# line 7"))
    );
    // It is a config, the same one.
    let set: Vec<&str> = set.into_iter().skip(1).step_by(2).collect();
    let config = Config::parse(text, "c.toml", &set).unwrap();
    assert_eq!(Config::parse(&shown, "shown", &[]).unwrap(), config);
    for path in configs() {
        let shown = succeed(folder.path(), &["config", "show", path.to_str().unwrap()]);
        assert_eq!(Config::parse(&shown, "shown", &[]).unwrap(), Config::read(&path, &[]).unwrap());
    }
}

#[test]
fn columns_with_dots_and_spaces_are_shown_as_toml_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[data]\nname = 'csv'\npath = 't.csv'\ntarget = 'y'\n[data.columns]\n'sepal.length' = 'number'\n\
                'the name' = 'ignore'\n[model]\nname = 'mlp'\n[loss]\nname = 'mse'\n[optimizer]\nname = 'sgd'\n";
    fs::write(folder.path().join("c.toml"), text).unwrap();
    let set = ["--set", "data.columns.\"a.b\"=ignore", "--set", "data.na_values.'u.v'=[7]"];
    let shown = succeed(folder.path(), &[&["config", "show", "c.toml"], &set[..]].concat());
    for (key, place) in [
        ("\"sepal.length\" = \"number\"", "# line 6"),
        ("\"the name\" = \"ignore\"", "# line 7"),
        ("\"a.b\" = \"ignore\"", "# --set"),
        ("\"u.v\" = [\"7\"]", "# --set"),
    ] {
        assert!(shown.lines().any(|line| line.starts_with(key) && line.ends_with(place)), "{key}: {shown}");
    }
    let set: Vec<&str> = set.into_iter().skip(1).step_by(2).collect();
    let config = Config::read(folder.path().join("c.toml"), &set).unwrap();
    assert_eq!(Config::parse(&shown, "shown", &[]).unwrap(), config);
}

#[test]
fn shells_get_completions_and_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = succeed(folder.path(), &["completions", shell]);
        for word in ["train", "resume", "replay"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    let written = succeed(folder.path(), &["man", "man1"]);
    for page in ["descent.1", "descent-train.1", "descent-eval.1", "descent-replay.1"] {
        assert!(written.contains(page), "{written}");
        let text = fs::read_to_string(folder.path().join("man1").join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}
