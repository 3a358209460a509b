//! Fuzzes [`spanwire_fuzz::tokens`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::tokens(input));
