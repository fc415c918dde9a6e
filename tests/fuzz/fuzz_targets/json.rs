//! Any bytes, as an answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| conformance::json_reader::check(body));
