//! Messages in a stream without frames.

use memchr::memrchr;

use crate::{Encoding, varint};

/// Most bytes that a length takes.
const LENGTH_BYTES_MAX: usize = 5;

/// How many bytes at the front are whole messages, with the line break or the length of each; `None` if what is there
/// cannot become a message, however much comes behind it.
pub fn whole_messages(encoding: Encoding, bytes: &[u8]) -> Option<usize> {
    match encoding {
        Encoding::Json => Some(memrchr(b'\n', bytes).map_or(0, |at| at + 1)),
        Encoding::Protobuf => {
            let mut whole = 0;
            loop {
                let rest = &bytes[whole..];
                match varint::read_length(rest) {
                    Some((length, of_length)) if rest.len() - of_length >= length => {
                        whole += of_length + length
                    }
                    None if rest.len() >= LENGTH_BYTES_MAX => return None,
                    _ => return Some(whole),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_messages_count() {
        for (encoding, bytes, expected) in [
            (Encoding::Json, &b"{}\n{\"a\""[..], Some(3)),
            (Encoding::Json, b"{}", Some(0)),
            (Encoding::Protobuf, b"\x01a\x00\x02b", Some(3)),
            (Encoding::Protobuf, b"\x80", Some(0)),
            (Encoding::Protobuf, b"\xff\xff\xff\xff\xff", None),
        ] {
            assert_eq!(whole_messages(encoding, bytes), expected, "{bytes:?}");
        }
    }
}
