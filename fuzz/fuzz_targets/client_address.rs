//! Fuzzes [`spanwire_fuzz::client_address`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::client_address(input));
