//! Fuzzes [`spanwire_fuzz::commands_json`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::commands_json(input));
