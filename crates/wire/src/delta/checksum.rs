//! What a patch says of its target, so that whoever applies it to another base notices.

/// The sum, modulo 2^32, of the bytes taken as big-endian words; the last is filled up with zeros.
pub(super) fn checksum(target: &[u8]) -> u32 {
    let (words, rest) = target.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let sum = |sum: u32, word: &[u8; 4]| sum.wrapping_add(u32::from_be_bytes(*word));
    words.iter().chain([&last]).fold(0, sum)
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn words_are_added_up_and_the_last_is_filled_up_on_the_right() {
        let table: [(&[u8], u32); 5] = [
            (b"", 0),
            (b"a", 0x6100_0000),
            (b"abcd", 0x6162_6364),
            (b"abcdabcde", 0x6162_6364_u32.wrapping_mul(2).wrapping_add(0x6500_0000)),
            (&[0xff; 8], 0xffff_fffe),
        ];
        for (bytes, sum) in table {
            assert_eq!(checksum(bytes), sum, "{bytes:?}");
        }
    }
}
