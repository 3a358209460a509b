//! Fuzzes [`spanwire_fuzz::framing`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::framing(input));
