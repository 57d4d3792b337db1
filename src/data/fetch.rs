//! Downloads a known data set from its public mirrors into the data folder and checks its SHA-256.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::download::{Patience, download, shown};
use super::gzip::Gunzip;
use crate::error::{Error, Result};
use crate::files::{self, Checksum, Local};

/// A data set with known files.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name in a config.
    pub name: &'static str,
    /// Mirrors of its gzipped files, tried in order.
    pub mirrors: &'static [&'static str],
    /// Its files.
    pub files: &'static [KnownFile],
}

/// One file of a known data set.
#[derive(Debug, Clone, Copy)]
pub struct KnownFile {
    /// Its name. Mirrors serve `NAME.gz`, which is unpacked; a name that ends in `.gz` itself stays packed.
    pub name: &'static str,
    /// Its size.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: &'static str,
}

impl KnownFile {
    /// Whether the file stays gzipped.
    fn is_packed(&self) -> bool {
        Path::new(self.name).extension().is_some_and(|ending| ending == "gz")
    }

    /// The most bytes that a mirror may send. Data that does not compress grows by five bytes in 2¹⁴, and gzip's head
    /// may have a name in it.
    fn most_sent(&self) -> u64 {
        if self.is_packed() { self.size } else { self.size + self.size / 1000 + 4096 }
    }
}

/// All data sets that can be fetched.
pub const KNOWN: &[Known] = &[MNIST, FASHION_MNIST];

const MNIST: Known = Known {
    name: "mnist",
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ],
    files: &[
        KnownFile {
            name: "train-images-idx3-ubyte",
            size: 47_040_016,
            sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        },
        KnownFile {
            name: "train-labels-idx1-ubyte",
            size: 60_008,
            sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        },
        KnownFile {
            name: "t10k-images-idx3-ubyte",
            size: 7_840_016,
            sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        },
        KnownFile {
            name: "t10k-labels-idx1-ubyte",
            size: 10_008,
            sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ],
};

/// Xiao, Rasul and Vollgraf 2017, <https://arxiv.org/abs/1708.07747>. Its files stay packed: the sums that are known
/// are those of the packed ones.
const FASHION_MNIST: Known = Known {
    name: "fashion-mnist",
    mirrors: &[
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ],
    files: &[
        KnownFile {
            name: "train-images-idx3-ubyte.gz",
            size: 26_421_880,
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        KnownFile {
            name: "train-labels-idx1-ubyte.gz",
            size: 29_515,
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
        KnownFile {
            name: "t10k-images-idx3-ubyte.gz",
            size: 4_422_102,
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        KnownFile {
            name: "t10k-labels-idx1-ubyte.gz",
            size: 5_148,
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ],
};

/// The folder of a known data set: `$DESCENT_DATA/NAME`, or `data/NAME` in the working directory.
pub fn folder(name: &str) -> PathBuf {
    std::env::var_os("DESCENT_DATA").map_or_else(|| PathBuf::from("data"), PathBuf::from).join(name)
}

/// Fetches the missing files of a data set into `folder`, from `mirror` if given, else from its own mirrors. A file is put
/// in place only if its SHA-256 is right. Returns the names of the fetched files.
pub fn fetch(known: &Known, folder: &Path, mirror: Option<&str>) -> Result<Vec<&'static str>> {
    let own = mirror.map(|mirror| vec![mirror]);
    let mirrors = own.unwrap_or_else(|| known.mirrors.to_vec());
    let mut brought = Vec::new();
    for file in known.files {
        let path = folder.join(file.name);
        if path.exists() && Checksum::of_file(&path)?.sha256 == file.sha256 {
            continue;
        }
        fetch_file(file, &mirrors, &path, Patience::default())?;
        brought.push(file.name);
    }
    Ok(brought)
}

/// Tries the mirrors in turn; if none has the file, the error has the reason of each.
fn fetch_file(file: &KnownFile, mirrors: &[&str], path: &Path, patience: Patience) -> Result<()> {
    let mut problems = Vec::new();
    for mirror in mirrors {
        let ending = if file.is_packed() { "" } else { ".gz" };
        let url = format!("{}/{}{ending}", mirror.trim_end_matches('/'), file.name);
        let shown = shown(&url);
        tracing::info!("fetching {shown}");
        match contents(&url, file, patience) {
            Ok(bytes) => {
                let folder = path.parent().unwrap_or(path);
                fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
                return files::write(&Local, path, &bytes);
            }
            Err(problem) => problems.push(format!("{shown}: {problem}")),
        }
    }
    Err(Error::Fetch(format!(
        "cannot fetch `{}`: {}; check the network, or name another place with --mirror",
        file.name,
        problems.join("; ")
    )))
}

/// The bytes of a file, unpacked where they do not stay packed.
fn contents(url: &str, file: &KnownFile, patience: Patience) -> Result<Vec<u8>, String> {
    let body = download(url, file.most_sent(), patience)?;
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if file.is_packed() { Box::new(body) } else { Box::new(Gunzip::new(body)) };
    source
        .take(file.size + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("the download is damaged or broke off ({e})"))?;
    let sum = Checksum::of(&bytes).sha256;
    if sum != file.sha256 {
        return Err(format!("its SHA-256 is {sum}, expected {}", file.sha256));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    const HELLO: KnownFile = KnownFile {
        name: "hello",
        size: 5,
        sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    };
    const GREETING: Known = Known { name: "greeting", mirrors: &[], files: &[HELLO] };

    /// Serves each answer once, on loopback, and returns the address.
    fn serve(answers: Vec<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while request.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                stream.write_all(&answer).unwrap();
            }
        });
        address
    }

    fn answer(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    }

    #[test]
    fn a_file_is_fetched_checked_and_fetched_once() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = serve(vec![answer(b"hello")]);
        assert_eq!(fetch(&GREETING, folder.path(), Some(&mirror)).unwrap(), ["hello"]);
        assert_eq!(fs::read(folder.path().join("hello")).unwrap(), b"hello");
        // The server is gone: a second call must not need it.
        assert!(fetch(&GREETING, folder.path(), Some(&mirror)).unwrap().is_empty());
    }

    #[test]
    fn wrong_and_broken_downloads_leave_no_file() {
        let mut short = answer(b"hello");
        short.truncate(short.len() - 10);
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
        for (bad, word) in [
            (answer(b"jello"), "SHA-256"),
            (answer(b"hello, world"), "SHA-256"),
            (short, ""),
            (missing, "404"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let error = fetch(&GREETING, folder.path(), Some(&serve(vec![bad]))).unwrap_err().to_string();
            assert!(error.contains("cannot fetch `hello`") && error.contains(word), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn the_next_mirror_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let (bad, good) = (serve(vec![answer(b"jello")]), serve(vec![answer(b"hello")]));
        let mirrors = [bad.as_str(), &good];
        fetch_file(&HELLO, &mirrors, &folder.path().join("hello"), Patience::default()).unwrap();
        assert!(folder.path().join("hello").exists());
    }

    /// A server that sends the start of an answer, and then pieces, each after a pause, until the client has gone.
    fn drip(start: &'static [u8], piece: &'static [u8], pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://user:pa55@{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").unwrap();
            stream.write_all(start).unwrap();
            while stream.write_all(piece).is_ok() {
                std::thread::sleep(pause);
            }
        });
        address
    }

    #[test]
    fn slow_servers_and_those_that_send_too_much_are_given_up() {
        let patience = Patience { window: Duration::from_millis(300), least: 1000 };
        // gzip's head, and a name that does not end: nothing is unpacked, whatever comes.
        let head = b"\x1f\x8b\x08\x08\0\0\0\0\0\0";
        for (start, piece, pause, word) in [
            (&head[..], &b"a"[..], Duration::from_millis(20), "too slow"),
            (&[], &[], Duration::from_millis(20), "too slow: 0 bytes came in 0.3 s"),
            (head, &[b'a'; 64], Duration::ZERO, "more than the file can have"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (mirror, begun) = (drip(start, piece, pause), Instant::now());
            let path = folder.path().join("hello");
            let error = fetch_file(&HELLO, &[&mirror], &path, patience).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            assert!(error.contains("http://127.0.0.1") && !error.contains("pa55"), "{error}");
            assert!(begun.elapsed() < Duration::from_secs(20) && !path.exists());
        }
    }
}
