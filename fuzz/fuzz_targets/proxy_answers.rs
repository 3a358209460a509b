//! Fuzzes [`spanwire_fuzz::proxy_answers`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::proxy_answers(input));
