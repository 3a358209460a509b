//! Decimal numbers, compared as they are written.

use std::cmp::Ordering;

/// A number such as `-12.50`, of any length and exact: nothing is rounded, for nothing is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal<Digits> {
    is_negative: bool,
    /// Digits before the point, without zeros in front.
    whole: Digits,
    /// Digits behind the point, without zeros at the end.
    fraction: Digits,
}

impl<'a> Decimal<&'a str> {
    /// Reads an optional sign, digits, and optionally a point and more digits.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (unsigned, ""),
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self { is_negative: text.starts_with('-') && !is_zero, whole, fraction })
    }

    /// The same, to be kept.
    pub(super) fn to_owned(&self) -> Decimal<Box<str>> {
        Decimal { is_negative: self.is_negative, whole: self.whole.into(), fraction: self.fraction.into() }
    }
}

impl<Digits: AsRef<str>> Decimal<Digits> {
    pub(super) fn compare(&self, other: &Decimal<impl AsRef<str>>) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.size().cmp(&other.size()),
            (true, true) => other.size().cmp(&self.size()),
            (is_negative, _) if is_negative => Ordering::Less,
            _ => Ordering::Greater,
        }
    }

    /// What compares as the number does without its sign. More digits before the point are more; otherwise the first that
    /// differ decide, and of two fractions the one that goes on is more, for it does not end in zeros.
    fn size(&self) -> (usize, &str, &str) {
        (self.whole.as_ref().len(), self.whole.as_ref(), self.fraction.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_what_is_written_in_digits() {
        for text in
            ["0", "-0", "+7", "007", "1.5", "-12.50", "123456789012345678901234567890.000000000000000000001"]
        {
            assert!(Decimal::read(text).is_some(), "{text:?}");
        }
        for text in
            ["", "-", "+", ".", "1.", ".5", "1e3", "0x1", "1,5", "1 ", "--1", "NaN", "1.2.3", "\u{661}"]
        {
            assert!(Decimal::read(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn numbers_compare_exactly_whatever_their_length_and_zeros() {
        let ascending = [
            "-10",
            "-9.75",
            "-9.7",
            "-0.1",
            "0",
            "0.09",
            "0.1",
            "1",
            "1.05",
            "1.5",
            "9",
            "10",
            "9007199254740993",
            "9007199254740993.1",
        ];
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                let compared = Decimal::read(one).unwrap().compare(&Decimal::read(other).unwrap());
                assert_eq!(compared, place.cmp(&other_place), "{one} and {other}");
            }
        }
        for (one, other) in [("1", "1.00"), ("007", "7"), ("-0", "0"), ("+2.50", "2.5")] {
            assert!(
                Decimal::read(one).unwrap().compare(&Decimal::read(other).unwrap()).is_eq(),
                "{one} and {other}"
            );
        }
    }

    proptest! {
        #[test]
        fn numbers_compare_as_integers_of_their_hundredths_do(one in -100_000i64..100_000, other in -100_000i64..100_000) {
            let written = |number: i64| {
                let sign = if number < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", number.abs() / 100, number.abs() % 100)
            };
            let (a, b) = (written(one), written(other));
            prop_assert_eq!(Decimal::read(&a).unwrap().compare(&Decimal::read(&b).unwrap()), one.cmp(&other));
        }
    }
}
