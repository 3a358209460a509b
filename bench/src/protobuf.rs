//! As much of Protobuf as the load writes and reads: varints, and fields that hold bytes.

/// Appends a varint: seven bits in each byte, the least first.
pub(crate) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field of bytes; strings and messages are such, too.
pub(crate) fn write_field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

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
    fn a_varint_is_read_as_it_was_written_and_never_half() {
        for value in [0, 1, 127, 128, 300, 65_536, u64::from(u32::MAX), u64::MAX] {
            let mut wire = Vec::new();
            write_varint(&mut wire, value);
            for cut in 0..wire.len() {
                assert_eq!(read_varint(&wire[..cut]), None, "{value} cut at {cut}");
            }
            wire.push(7);
            assert_eq!(read_varint(&wire), Some((value, &[7][..])));
        }
        assert_eq!(read_varint(&[0xff; 20]), None, "no end in sight");
    }

    #[test]
    fn a_field_is_its_number_its_length_and_its_bytes() {
        let mut wire = Vec::new();
        write_field(&mut wire, 4, b"abc");
        assert_eq!(wire, [0x22, 3, b'a', b'b', b'c']);
    }
}
