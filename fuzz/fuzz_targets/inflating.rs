//! Fuzzes [`spanwire_fuzz::inflating`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::inflating(input));
