//! Fuzzes [`spanwire_fuzz::handshake`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::handshake(input));
