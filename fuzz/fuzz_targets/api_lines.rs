//! Fuzzes [`spanwire_fuzz::api_lines`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::api_lines(input));
