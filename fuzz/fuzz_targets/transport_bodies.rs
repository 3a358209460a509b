//! Fuzzes [`spanwire_fuzz::transport_bodies`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| spanwire_fuzz::transport_bodies(input));
