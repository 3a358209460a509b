//! What a connection keeps between calls: a header, frame or message of which only a part has arrived.

use crate::deflate::Inflater;
use crate::frame::HEADER_BYTES_MAX;
use crate::message::{Message, Whole};
use crate::{CloseCode, CloseFrame, Header, Input, Limits, Opcode, PeerError, mask};

/// Lives in a box that exists only while something is incomplete, or lent to the caller, or must be remembered of the
/// messages before.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    reading: Reading,
    /// The data message that is under way. Control frames may come between its fragments.
    message: Option<Message>,
    lent: Lent,
    /// What compressed messages may refer to, if the peer uses context takeover or nobody lends an inflater.
    context: Option<Box<Inflater>>,
}

/// The place in the stream of frames.
#[derive(Debug)]
enum Reading {
    /// In front of a header, of which this much has arrived.
    Header { bytes: [u8; HEADER_BYTES_MAX], len: usize },
    /// Inside a frame of the message that is under way.
    Data { fin: bool, left: u64, key: Option<[u8; 4]> },
    /// Inside a close, ping or pong.
    Control { opcode: Opcode, left: u64, key: Option<[u8; 4]>, payload: Vec<u8> },
}

/// What was put together here and is lent to the caller until the next call.
#[derive(Debug, Default)]
pub(crate) enum Lent {
    #[default]
    Nothing,
    Message(Whole),
    Close(Option<CloseCode>, String),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

/// How reading a frame's payload went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The input was used up.
    Starved,
    /// The frame is complete, and a header comes next.
    BeforeHeader,
    /// The frame completed something, which [`Partial::lent`] holds.
    Complete,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Header { bytes: [0; HEADER_BYTES_MAX], len: 0 }
    }
}

impl Partial {
    /// Frees what was lent. Returns whether anything is left to keep.
    pub(crate) fn release(&mut self) -> bool {
        self.lent = Lent::Nothing;
        self.context.is_some()
            || self.message.is_some()
            || !matches!(self.reading, Reading::Header { len: 0, .. })
    }

    /// What is complete, for the caller to see.
    pub(crate) fn lent(&self) -> &Lent {
        &self.lent
    }

    /// Takes a compressed message that is complete.
    pub(crate) fn compressed(&mut self) -> Option<(Opcode, Vec<u8>)> {
        match &mut self.lent {
            Lent::Message(Whole::Compressed(opcode, bytes)) => Some((*opcode, std::mem::take(bytes))),
            _ => None,
        }
    }

    /// Inflates a message with what is remembered of those before, to be lent.
    pub(crate) fn inflate(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        takeover: bool,
        limits: &Limits,
    ) -> Result<(), PeerError> {
        let context = self.context.get_or_insert_default();
        context.inflate(payload, takeover, limits)?;
        self.lent = Lent::Message(Whole::of(opcode, context.take())?);
        Ok(())
    }

    /// Whether a data message is under way.
    pub(crate) fn has_message(&self) -> bool {
        self.message.is_some()
    }

    /// Bytes of memory kept for payloads, beside the box itself.
    pub(crate) fn capacity(&self) -> usize {
        let control = match &self.reading {
            Reading::Control { payload, .. } => payload.capacity(),
            Reading::Header { .. } | Reading::Data { .. } => 0,
        };
        let lent = match &self.lent {
            Lent::Nothing => 0,
            Lent::Message(Whole::Text(text)) => text.capacity(),
            Lent::Message(Whole::Binary(bytes) | Whole::Compressed(_, bytes))
            | Lent::Ping(bytes)
            | Lent::Pong(bytes) => bytes.capacity(),
            Lent::Close(_, reason) => reason.capacity(),
        };
        let context = self.context.as_ref().map_or(0, |context| size_of::<Inflater>() + context.bytes_held());
        control + lent + context + self.message.as_ref().map_or(0, Message::capacity)
    }

    /// Reads the next header, from what was kept of it and from `input`; `None` asks for more bytes.
    pub(crate) fn header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, PeerError> {
        let Reading::Header { bytes, len } = &mut self.reading else { return Ok(None) };
        loop {
            // One byte at a time: a header that was cut is rare and short, and so nothing is read past its end.
            let decoded = if *len == 0 { None } else { Header::decode(&bytes[..*len])? };
            if let Some((header, _)) = decoded {
                *len = 0;
                return Ok(Some(header));
            }
            let [byte] = input.take(1) else { return Ok(None) };
            bytes[*len] = *byte;
            *len += 1;
        }
    }

    /// Enters the frame of a header that the connection found legal here.
    pub(crate) fn begin(&mut self, header: &Header, limits: &Limits) -> Result<(), PeerError> {
        let (left, key) = (header.len, header.mask);
        self.reading = if header.opcode.is_control() {
            Reading::Control { opcode: header.opcode, left, key, payload: Vec::new() }
        } else {
            self.message
                .get_or_insert_with(|| Message::new(header.opcode, header.rsv1))
                .admit(left, limits)?;
            Reading::Data { fin: header.fin, left, key }
        };
        Ok(())
    }

    /// Reads the payload of the frame that was begun, if there is one.
    pub(crate) fn payload(&mut self, input: &mut Input<'_>, limits: &Limits) -> Result<Progress, PeerError> {
        match &mut self.reading {
            Reading::Header { .. } => Ok(Progress::BeforeHeader),
            Reading::Control { opcode, left, key, payload } => {
                // At most 125 bytes, so the length may be believed before the bytes are here.
                payload.reserve_exact(usize::try_from(*left).unwrap_or(0));
                payload.extend_from_slice(take(input, left, key));
                if *left > 0 {
                    return Ok(Progress::Starved);
                }
                self.lent = match opcode {
                    Opcode::Ping => Lent::Ping(std::mem::take(payload)),
                    Opcode::Close => {
                        let frame = CloseFrame::parse(payload)?;
                        Lent::Close(frame.code(), frame.reason().to_owned())
                    }
                    _ => Lent::Pong(std::mem::take(payload)),
                };
                self.reading = Reading::default();
                Ok(Progress::Complete)
            }
            Reading::Data { fin, left, key } => {
                let fin = *fin;
                let bytes = take(input, left, key);
                if let Some(message) = &mut self.message {
                    let known = message.len() + bytes.len() + usize::try_from(*left).unwrap_or(usize::MAX);
                    message.push(bytes, if fin { known } else { limits.message_bytes_max })?;
                }
                if *left > 0 {
                    return Ok(Progress::Starved);
                }
                self.reading = Reading::default();
                match self.message.take_if(|_| fin) {
                    None => Ok(Progress::BeforeHeader),
                    Some(message) => {
                        self.lent = Lent::Message(message.finish()?);
                        Ok(Progress::Complete)
                    }
                }
            }
        }
    }
}

/// Takes what has arrived of a payload, without its mask.
fn take<'b>(input: &mut Input<'b>, left: &mut u64, key: &mut Option<[u8; 4]>) -> &'b [u8] {
    let bytes = input.take_up_to(*left);
    *left -= bytes.len() as u64;
    if let Some(key) = key {
        *key = mask::apply(bytes, *key);
    }
    bytes
}
