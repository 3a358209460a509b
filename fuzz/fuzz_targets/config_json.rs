//! Fuzzes [`spanwire_fuzz::config_json`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::config_json(input));
