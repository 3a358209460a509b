//! What a client hears most of the time, read in one pass: a publication with nothing around it but its channel.
//!
//! The general way goes through everything that a reply, a push and a publication may hold, and costs two to three times the
//! instructions (`crates/client-core/examples/instructions.rs`).

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::json::Object;
use crate::message::{ClientInfo, Publication};
use crate::{Push, PushEvent};

/// A publication that stands there as servers of the protocol write it: these members, in this order, without spaces
/// between them, and the channel's name without escapes. `None` says only that it must be read the general way.
pub(super) fn publication(message: &[u8]) -> Option<Push> {
    // Compared as bytes, so that what is something else is not validated as text here and again by the general way.
    let rest = message.strip_prefix(br#"{"push":{"channel":"#)?;
    let mut rest = Rest(std::str::from_utf8(rest).ok()?);
    let channel: &str = rest.value()?;
    rest.skip(r#","pub":{"data":"#)?;
    let data = rest.value::<&RawValue>()?;
    let info = rest.member::<Object<ClientInfo>>(r#","info":"#)?.map(|Object(info)| info);
    let offset = rest.member(r#","offset":"#)?.unwrap_or_default();
    let tags = rest.member(r#","tags":"#)?.unwrap_or_default();
    if rest.0 != "}}}" {
        return None;
    }
    let data = Bytes::copy_from_slice(data.get().as_bytes());
    let publication = Publication { data, info, offset, tags, ..Publication::default() };
    Some(Push::new(channel, PushEvent::Publication(Box::new(publication))))
}

/// What has not been read yet.
struct Rest<'m>(&'m str);

impl<'m> Rest<'m> {
    /// Moves behind what must stand there.
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Reads one value of JSON.
    fn value<T: Deserialize<'m>>(&mut self) -> Option<T> {
        let mut values = Deserializer::from_str(self.0).into_iter();
        let value = values.next()?.ok()?;
        self.0 = &self.0[values.byte_offset()..];
        Some(value)
    }

    /// Reads a member that may be there or not.
    fn member<T: Deserialize<'m>>(&mut self, name: &str) -> Option<Option<T>> {
        match self.skip(name) {
            Some(()) => self.value().map(Some),
            None => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, encode_push};

    #[test]
    fn what_a_server_publishes_with_a_publisher_and_tags_is_usual() {
        let info = Some(ClientInfo { user: "ann".to_owned(), ..ClientInfo::default() });
        let tags = [("k".to_owned(), "v".to_owned())].into();
        let publication = Publication { data: "1".into(), info, offset: 7, tags, ..Publication::default() };
        let push = Push::new("a", PushEvent::Publication(Box::new(publication)));
        assert_eq!(super::publication(&encode_push(Encoding::Json, &push)), Some(push));
    }
}
