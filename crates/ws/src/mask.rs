//! The mask that clients put over payloads (RFC 6455 section 5.3).

/// Puts the mask on, or takes it off: the operation is its own inverse.
///
/// Returns the key for the bytes that follow, so that a payload may come in pieces and no one has to remember
/// how far into the key the last piece ended.
///
/// ```
/// use spanwire_ws::mask;
/// let mut payload = *b"hello";
/// let key = mask::apply(&mut payload[..2], [1, 2, 3, 4]);
/// assert_eq!(key, [3, 4, 1, 2]);
/// mask::apply(&mut payload[2..], key);
/// mask::apply(&mut payload, [1, 2, 3, 4]);
/// assert_eq!(&payload, b"hello");
/// ```
#[inline]
pub fn apply(payload: &mut [u8], key: [u8; 4]) -> [u8; 4] {
    // Whole words in a plain loop: the compiler turns it into vector instructions of whatever width the target
    // has, which leaves hand-written ones nothing to win and needs no `unsafe`.
    let half = u64::from(u32::from_ne_bytes(key));
    let word = half << 32 | half;
    let (words, tail) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    // Words are a multiple of the key, so the tail starts with the key's first byte.
    for (byte, key) in tail.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
    // As little-endian, the key's first byte is the lowest, which a rotation to the right uses up.
    u32::from_le_bytes(key).rotate_right(8 * (tail.len() as u32 % 4)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::apply;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masking_is_exclusive_or_with_the_repeated_key(payload: Vec<u8>, key: [u8; 4]) {
            let mut masked = payload.clone();
            apply(&mut masked, key);
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            prop_assert_eq!(masked, expected);
        }

        #[test]
        fn masking_in_pieces_equals_masking_at_once(payload: Vec<u8>, key: [u8; 4], cut: prop::sample::Index) {
            let cut = cut.index(payload.len() + 1);
            let (mut whole, mut pieces) = (payload.clone(), payload);
            let end = apply(&mut whole, key);
            let (head, tail) = pieces.split_at_mut(cut);
            let between = apply(head, key);
            prop_assert_eq!(apply(tail, between), end);
            prop_assert_eq!(whole, pieces);
        }
    }
}
