//! How the messages are written as JSON: zero values left out, payloads spliced in as they are.

mod object;
mod splice;

pub(crate) use object::{Object, boxed, object, object_map, objects};
pub(crate) use splice::{member, splice, write};

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Whether these bytes are exactly one JSON text.
///
/// For payloads that came in Protobuf, where nobody has looked at them yet: embedded unchecked they would let
/// one client forge the messages of all others. Scans without recursion, builds nothing.
pub fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(bytes).is_ok()
}

/// Whether a field is at its zero value and so stays off the wire.
pub(crate) fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a field in which `null` means the zero value.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Takes a payload as it stands: checked to be JSON, not built, not reformatted.
pub(crate) fn payload<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
    let raw = <&RawValue>::deserialize(from)?;
    Ok(Bytes::copy_from_slice(raw.get().as_bytes()))
}

/// Bytes that JSON carries as a string.
pub(crate) mod text {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    /// A frame of JSON commands is UTF-8 by construction. Other bytes have no form in JSON; what they become
    /// here is refused by whoever reads it.
    pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        Ok(Option::<String>::deserialize(from)?.unwrap_or_default().into())
    }
}
