//! As much of Protobuf as the load reads to tell one saying from the next: varints.

/// The varint at the start of `bytes` and what follows it; none if it is not whole, or longer than 64 bits.
pub(crate) fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_is_read_whole_or_not_at_all() {
        let table: [(&[u8], u64); 5] = [
            (&[0], 0),
            (&[0x7f], 127),
            (&[0x80, 1], 128),
            (&[0xac, 2], 300),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], u64::MAX),
        ];
        for (wire, value) in table {
            for cut in 0..wire.len() {
                assert_eq!(read_varint(&wire[..cut]), None, "{value} cut at {cut}");
            }
            assert_eq!(read_varint(&[wire, &[7]].concat()), Some((value, &[7][..])));
        }
        assert_eq!(read_varint(&[0xff; 20]), None, "no end in sight");
    }
}
