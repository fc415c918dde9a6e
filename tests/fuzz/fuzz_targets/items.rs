//! Any bytes, as an item of either schema: the first one says of which page type and schema.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conformance::item_converter::check(input));
