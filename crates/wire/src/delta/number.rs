//! Numbers as a patch writes them: base 64, the most significant digit first, no padding; zero is one digit.

/// The digits by value: their order is that of ASCII.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// The values of bytes that are digits.
const VALUES: [Option<u8>; 256] = {
    let mut values = [None; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = Some(value as u8);
        value += 1;
    }
    values
};

/// Appends a number.
pub(super) fn write(out: &mut Vec<u8>, number: u32) {
    for place in (0..digits(number)).rev() {
        out.push(DIGITS[(number >> (6 * place) & 63) as usize]);
    }
}

/// How many digits a number has.
pub(super) fn digits(number: u32) -> usize {
    number.checked_ilog2().map_or(1, |log| log as usize / 6 + 1)
}

/// Takes a number off the front; `None` if there is none, or one of more than 32 bits.
pub(super) fn read(from: &mut &[u8]) -> Option<u32> {
    let mut number: Option<u32> = None;
    while let Some((first, rest)) = from.split_first() {
        let Some(digit) = VALUES[usize::from(*first)] else { break };
        number = Some(number.unwrap_or(0).checked_mul(64)? | u32::from(digit));
        *from = rest;
    }
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: u32) -> String {
        let mut out = Vec::new();
        write(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_in_the_digits_of_fossil() {
        let table = [
            (0, "0"),
            (9, "9"),
            (10, "A"),
            (35, "Z"),
            (36, "_"),
            (37, "a"),
            (62, "z"),
            (63, "~"),
            (64, "10"),
            (4_095, "~~"),
            (4_096, "100"),
            (u32::MAX, "3~~~~~"),
        ];
        for (number, text) in table {
            assert_eq!(written(number), text);
        }
    }

    #[test]
    fn a_number_ends_where_its_digits_do_and_has_at_least_one_and_at_most_32_bits() {
        for (text, number, rest) in
            [("1@", Some(1), "@"), ("010", Some(64), ""), ("", None, ""), (";", None, ";")]
        {
            let mut from = text.as_bytes();
            assert_eq!((read(&mut from), from), (number, rest.as_bytes()), "{text}");
        }
        for too_big in ["400000", "1000000"] {
            assert_eq!(read(&mut too_big.as_bytes()), None, "{too_big}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_as_long_as_was_said(number: u32) {
            let text = written(number);
            prop_assert_eq!(text.len(), digits(number));
            prop_assert_eq!(read(&mut text.as_bytes()), Some(number));
        }
    }
}
