//! Fuzzes [`spanwire_fuzz::patches`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::patches(input));
