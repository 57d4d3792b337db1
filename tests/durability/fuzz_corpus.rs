//! The corpus that fuzzing found, through the same parsers.

use std::fs;

use crate::common::repository;

#[path = "../fuzz/parsers.rs"]
mod parsers;

#[test]
fn the_corpus_of_every_parser_passes() {
    for (name, parse) in parsers::ALL {
        let folder = repository("tests/fuzz/corpus").join(name);
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            parse(&fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 5, "{name} has {count} inputs");
    }
}
