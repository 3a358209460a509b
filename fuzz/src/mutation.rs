//! Inputs from other inputs, without looking at what they do: enough for a smoke run on any toolchain.

use crate::chance::Chance;

/// Longest input that mutations grow to, in bytes.
const BYTES_MAX: usize = 4096;
/// Bytes on which parsers tend to turn.
const TELLING: &[u8] = b"\x00\x01\x7f\x80\xff\"'\\{}[]:,.=\n\r #-09aA";

/// A seed with one to eight small changes; parts of another seed may be among them.
pub fn mutate(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..=chance.below(8) {
        change(&mut input, other, chance);
    }
    input.truncate(BYTES_MAX);
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(input.len());
    match chance.below(7) {
        0 => replace(input, at, |byte| byte ^ (1 << chance.below(8))),
        1 => replace(input, at, |_| TELLING[chance.below(TELLING.len())]),
        2 => input.insert(at, TELLING[chance.below(TELLING.len())]),
        3 => input.truncate(at),
        4 => drop(input.drain(at..at + chance.below(1 + (input.len() - at).min(16)))),
        5 => {
            let part = input[at..at + chance.below(1 + (input.len() - at).min(32))].to_vec();
            input.splice(at..at, part);
        }
        _ => {
            let from = chance.below(other.len());
            let part = &other[from..from + chance.below(1 + (other.len() - from).min(64))];
            input.splice(at..at, part.iter().copied());
        }
    }
}

fn replace(input: &mut [u8], at: usize, with: impl FnOnce(u8) -> u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte = with(*byte);
    }
}
