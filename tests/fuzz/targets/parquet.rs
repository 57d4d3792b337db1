#![no_main]

use std::sync::Once;

#[path = "../parsers.rs"]
mod parsers;

static HOOK: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The reader of the crate parquet panics on some damaged files, which the program catches. libFuzzer's own hook ends the
    // process at every panic; without it, those that nothing catches still do.
    HOOK.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    parsers::parquet(bytes);
});
