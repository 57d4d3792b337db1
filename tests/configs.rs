//! Every file in configs/ trains, on the embedded sample written out as the four IDX files.

use std::fs;
use std::io::Write;
use std::path::Path;

use descent::data::{Loaded, Preparation, Request, Rows, Source, Task, mnist_sample::MnistSample};

use crate::common::{configs, repository, succeed};

/// Writes the first rows of the embedded sample as IDX files, the images gzipped.
pub(crate) fn write_mnist(folder: &Path, count: usize) {
    let want = Task::Classes { ignored: -100, probabilities: false };
    let plan = Preparation::default();
    let Loaded::Raw(raw) = MnistSample {}.load(&Request::new(want, &plan)).unwrap() else {
        panic!("the sample is not dealt");
    };
    for (split, rows) in [("train", raw.train), ("t10k", raw.test.unwrap())] {
        let (images, labels) = idx(&rows, count);
        fs::write(folder.join(format!("{split}-labels-idx1-ubyte")), labels).unwrap();
        let file = fs::File::create(folder.join(format!("{split}-images-idx3-ubyte.gz"))).unwrap();
        let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        file.write_all(&images).unwrap();
        file.finish().unwrap();
    }
}

fn idx(rows: &Rows, count: usize) -> (Vec<u8>, Vec<u8>) {
    let size = u32::try_from(count).unwrap().to_be_bytes();
    let side = 28u32.to_be_bytes();
    let images = rows.xs.narrow(0, 0, count).unwrap().flatten_all().unwrap().to_vec1::<u8>().unwrap();
    let labels = rows.ys.narrow(0, 0, count).unwrap().to_vec1::<i64>().unwrap();
    let labels: Vec<u8> = labels.into_iter().map(|label| u8::try_from(label).unwrap()).collect();
    ([&[0, 0, 8, 3][..], &size, &side, &side, &images].concat(), [&[0, 0, 8, 1][..], &size, &labels].concat())
}

#[test]
fn every_config_runs_and_its_run_can_be_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let mnist = folder.path().join("data/mnist");
    fs::create_dir_all(&mnist).unwrap();
    write_mnist(&mnist, 150);
    // Tables lie where a user in the repository has them.
    std::os::unix::fs::symlink(repository("tests"), folder.path().join("tests")).unwrap();
    let mut seen = 0;
    for path in configs() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let out = format!("out-{name}");
        let config = path.to_str().unwrap();
        let trained = succeed(folder.path(), &["train", config, "--set", "train.max_steps=3", "--out", &out]);
        let evaluated = succeed(folder.path(), &["eval", &out]);
        // The test loss that training printed is the one that eval finds in the saved weights.
        let loss = |text: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with("test_loss")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        assert!((loss(&trained) - loss(&evaluated)).abs() < 1e-4, "{name}:\n{trained}{evaluated}");
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} configs");
}
