//! `descent data fetch` against a server on loopback.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::common::{fail, succeed};

/// Serves the files of `folder` gzipped, `requests` times, and gives the address.
fn serve(folder: PathBuf, requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mnist", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let name = request
                .split_whitespace()
                .nth(1)
                .unwrap()
                .trim_start_matches("/mnist/")
                .trim_end_matches(".gz");
            let mut body = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            body.write_all(&fs::read(folder.join(name)).unwrap_or_default()).unwrap();
            let body = body.finish().unwrap();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    address
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_wrong_sum_is_an_error_and_leaves_no_file() {
    let (folder, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(server.path().join("train-images-idx3-ubyte"), b"not the images").unwrap();
    let mirror = serve(server.path().to_owned(), 1);
    let error = fail(folder.path(), &["data", "fetch", "mnist", "--mirror", &mirror], 1);
    assert!(error.contains("SHA-256") && error.contains("train-images-idx3-ubyte"), "{error}");
    assert_eq!(entries(&folder.path().join("data/mnist")), 0);
}

#[test]
fn no_server_and_unknown_names_are_sentences() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mirror = format!("http://127.0.0.1:{port}");
    let error = fail(folder.path(), &["data", "fetch", "mnist", "--mirror", &mirror], 1);
    assert!(error.contains("--mirror"), "{error}");
    let error = fail(folder.path(), &["data", "fetch", "minst"], 2);
    assert!(error.contains("`minst`") && error.contains("mnist"), "{error}");
}

/// The whole way with the real files, where `scripts/fetch-mnist.sh` has brought them; `.ci/run` has it do so.
#[test]
fn the_real_set_is_fetched_and_checked() {
    let source = crate::common::repository("data/mnist");
    if !source.join("t10k-labels-idx1-ubyte").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI brings MNIST first");
        eprintln!("skipped: {} is not there, scripts/fetch-mnist.sh brings it", source.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mirror = serve(source, 4);
    let arguments = ["data", "fetch", "mnist", "--to", "here", "--mirror", &mirror];
    succeed(folder.path(), &arguments);
    assert_eq!(entries(&folder.path().join("here")), 4);
    // A second call needs no server: it would get no answer.
    assert!(succeed(folder.path(), &arguments).contains("complete"));
}
