//! Fuzzes [`spanwire_fuzz::http_edge`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::http_edge(input));
