//! Protobuf's variable-length integers: seven bits a byte, lowest first.

/// Most bytes of a length, which fits in 32 bits.
const LENGTH_BYTES_MAX: usize = 5;

/// Reads a length from the start of `bytes`; returns it and the bytes it took.
///
/// None if it is cut short, does not fit in 32 bits, or could have been shorter: then one frame would have
/// many spellings, and a limit on bytes would depend on the spelling.
pub(crate) fn read_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0u64;
    for (at, &byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let minimal = at == 0 || byte != 0;
            let length = u32::try_from(length).ok().filter(|_| minimal)?;
            return Some((usize::try_from(length).ok()?, at + 1));
        }
    }
    None
}

/// Appends an integer.
pub(crate) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`write()`] would append.
pub(crate) fn len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_only_in_its_shortest_spelling() {
        let cases: [(&[u8], _); _] = [
            (&[0], Some((0, 1))),
            (&[0x7f, 9], Some((127, 1))),
            (&[0x80, 0x01], Some((128, 2))),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], Some((u32::MAX as usize, 5))),
            (&[], None),
            (&[0x80], None),
            (&[0x80, 0x00], None),
            (&[0x81, 0x80, 0x00], None),
            (&[0xff, 0xff, 0xff, 0xff, 0x1f], None),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read_length(bytes), expected, "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_and_has_the_length_foretold(value: u32, wide: u64) {
            let mut out = Vec::new();
            write(&mut out, value.into());
            proptest::prop_assert_eq!(read_length(&out), Some((value as usize, out.len())));
            out.clear();
            write(&mut out, wide);
            proptest::prop_assert_eq!(out.len(), len(wide));
        }
    }
}
