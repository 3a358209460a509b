//! How far two texts are alike, from their beginnings on or from their ends backwards.

/// So many bytes are compared at once: as many as a vector register holds everywhere.
const STRIDE: usize = 16;

/// How many bytes both begin with.
pub(super) fn prefix(one: &[u8], other: &[u8]) -> usize {
    let (ones, _) = one.as_chunks::<STRIDE>();
    let (others, _) = other.as_chunks::<STRIDE>();
    let whole = STRIDE * ones.iter().zip(others).take_while(|(one, other)| one == other).count();
    whole + one[whole..].iter().zip(&other[whole..]).take_while(|(one, other)| one == other).count()
}

/// How many bytes both end with.
pub(super) fn suffix(one: &[u8], other: &[u8]) -> usize {
    let (_, ones) = one.as_rchunks::<STRIDE>();
    let (_, others) = other.as_rchunks::<STRIDE>();
    let alike = ones.iter().rev().zip(others.iter().rev()).take_while(|(one, other)| one == other);
    let whole = STRIDE * alike.count();
    let (one, other) = (&one[..one.len() - whole], &other[..other.len() - whole]);
    whole + one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_alike_as_far_as_byte_for_byte_they_are(
            shared in vec(0..2_u8, 0..60),
            one in vec(0..2_u8, 0..40),
            other in vec(0..2_u8, 0..40),
        ) {
            let (left, right) = ([&shared[..], &one].concat(), [&shared[..], &other].concat());
            let expected = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
            prop_assert_eq!(prefix(&left, &right), expected);
            let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
            prop_assert_eq!(suffix(&reversed(&left), &reversed(&right)), expected);
        }
    }
}
