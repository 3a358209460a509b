//! Durations as people write them: `25s`, `1h30m`, `720h`.

use std::time::Duration;

/// Reads numbers with the units `ms`, `s`, `m` and `h`, one behind the other; `0` alone needs no unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, behind) = behind.split_at(letters);
        total = total.checked_add(scaled(number.parse().ok()?, unit)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

fn scaled(number: u64, unit: &str) -> Option<Duration> {
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// Writes a duration so that [`parse`] reads it again; what is below a millisecond is dropped.
pub(super) fn print(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    match units.into_iter().find(|(unit, _)| millis.is_multiple_of(*unit)) {
        _ if millis == 0 => "0s".to_owned(),
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        let table = [
            ("25s", Some(25_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("1m", Some(60_000)),
            ("1h30m", Some(5_400_000)),
            ("720h", Some(2_592_000_000)),
            ("1s1ms", Some(1001)),
            ("", None),
            ("25", None),
            ("s", None),
            ("25 s", None),
            ("-1s", None),
            ("1.5h", None),
            ("1d", None),
            ("1S", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
            ("\u{e9}s", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for millis in [0, 1, 999, 1000, 1500, 60_000, 61_000, 3_600_000, 5_400_000, 2_592_000_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&print(duration)), Some(duration));
        }
    }
}
