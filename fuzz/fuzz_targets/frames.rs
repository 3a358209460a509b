//! Fuzzes [`spanwire_fuzz::frames`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::frames(input));
