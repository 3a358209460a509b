//! Whole numbers, as JSON has them: `5`, and `5.0` as well. JSON knows one kind of number (RFC 8259, section 6), and what is
//! whole is an integer to its schemas (JSON Schema Validation 2020-12, section 6.1.1); Python writes what it has computed
//! with a point.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Below this, each whole number with a point stands for itself only (IEEE 754, 53 bits).
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads one, for `#[serde(deserialize_with)]`.
///
/// # Errors
/// It is no number, not whole, or none that `T` has room for.
pub(crate) fn read<'de, T: TryFrom<i128>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Whole(PhantomData))
}

/// Reads one, or `null`, which is none.
///
/// # Errors
/// As for [`read`].
pub(crate) fn read_or_none<'de, T: TryFrom<i128>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|Number(number)| number))
}

struct Number<T>(T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Self)
    }
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i128>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number ({})", std::any::type_name::<T>())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number.into()).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number.into()).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        let is_whole = number.fract() == 0.0 && number.abs() < EXACT_MAX;
        // What is whole and that small loses nothing by the cast.
        let whole = is_whole.then_some(number as i128).and_then(|whole| T::try_from(whole).ok());
        whole.ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Numbers {
        #[serde(default, deserialize_with = "super::read")]
        time: u64,
        #[serde(default, deserialize_with = "super::read")]
        limit: i64,
    }

    #[test]
    fn a_whole_number_is_one_with_a_point_too() {
        let table = [
            (r#"{"time":5,"limit":-1}"#, Some((5, -1))),
            (r#"{"time":5.0,"limit":-1.0}"#, Some((5, -1))),
            (r#"{"time":1.7e9}"#, Some((1_700_000_000, 0))),
            (r#"{"time":18446744073709551615}"#, Some((u64::MAX, 0))),
            (r#"{"time":-0.0}"#, Some((0, 0))),
            (r#"{"time":5.5}"#, None),
            (r#"{"time":-1}"#, None),
            (r#"{"time":-1.0}"#, None),
            (r#"{"time":1e300}"#, None),
            (r#"{"time":9007199254740993.0}"#, None),
            (r#"{"time":"5"}"#, None),
            (r#"{"time":null}"#, None),
            (r#"{"limit":9223372036854775808}"#, None),
        ];
        for (text, expected) in table {
            let read = serde_json::from_str::<Numbers>(text);
            assert_eq!(read.ok().map(|Numbers { time, limit }| (time, limit)), expected, "{text}");
        }
    }
}
