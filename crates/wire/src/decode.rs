//! From frames to commands, for servers; from frames to replies and pushes, for clients.

mod usual;

use serde::Deserialize;

use crate::command::RawCommand;
use crate::cursor::Cursor;
use crate::json::Object;
use crate::message::{ConnectRequest, EmulationRequest};
use crate::reply::RawReply;
use crate::{Command, DecodeError, Encoding, Limits, ServerMessage};

/// Reads the commands of one frame, one at a time.
///
/// It does not hold the frame, so whoever must wait between two commands can keep both side by side and go on
/// later. For a loop without pauses there is [`commands`].
#[derive(Clone, Debug)]
pub struct CommandReader {
    cursor: Cursor,
}

impl CommandReader {
    /// A reader at the start of a frame.
    pub fn new(encoding: Encoding, limits: &Limits) -> Self {
        Self { cursor: Cursor::new(encoding, limits) }
    }

    /// The next command of `frame`, which must be the same whole frame in every call; None at its end, and
    /// for ever after an error.
    ///
    /// # Errors
    ///
    /// If the frame is empty, or if its next command is malformed or over a limit. The commands before it
    /// were fine and stand.
    pub fn next(&mut self, frame: &[u8]) -> Option<Result<Command, DecodeError>> {
        let bytes = self.cursor.next(frame)?;
        Some(bytes.and_then(|bytes| self.cursor.read::<RawCommand, _>(bytes)))
    }

    /// Bytes of the frame that have been read. Those after them begin with a whole command, or there are none.
    pub fn consumed(&self) -> usize {
        self.cursor.consumed()
    }
}

/// The commands of a frame.
pub fn commands<'f>(encoding: Encoding, frame: &'f [u8], limits: &Limits) -> Commands<'f> {
    Commands { reader: CommandReader::new(encoding, limits), frame }
}

/// Iterates over the commands of a frame; ends after the first error. See [`commands`].
#[derive(Clone, Debug)]
pub struct Commands<'f> {
    reader: CommandReader,
    frame: &'f [u8],
}

impl<'f> Commands<'f> {
    /// What has not been read: empty, or a frame that begins with a whole command.
    pub fn rest(&self) -> &'f [u8] {
        self.frame.get(self.reader.consumed()..).unwrap_or_default()
    }
}

impl Iterator for Commands<'_> {
    type Item = Result<Command, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reader.next(self.frame)
    }
}

/// The replies, pushes and pings of a frame.
pub fn server_messages<'f>(encoding: Encoding, frame: &'f [u8], limits: &Limits) -> ServerMessages<'f> {
    ServerMessages { cursor: Cursor::new(encoding, limits), frame }
}

/// Iterates over what the server said in a frame; ends after the first error. See [`server_messages`].
#[derive(Clone, Debug)]
pub struct ServerMessages<'f> {
    cursor: Cursor,
    frame: &'f [u8],
}

impl Iterator for ServerMessages<'_> {
    type Item = Result<ServerMessage, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = match self.cursor.next(self.frame)? {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error)),
        };
        if self.cursor.encoding == Encoding::Json
            && let Some(push) = usual::publication(bytes)
        {
            return Some(Ok(ServerMessage::Push(push)));
        }
        Some(self.cursor.read::<RawReply, _>(bytes))
    }
}

/// Reads the body of a request that brings commands to a session whose connection only goes downwards.
///
/// In Protobuf the body is the bare message, without a length before it.
///
/// # Errors
///
/// If the body is malformed. Its size is for the caller to limit, before it is read.
pub fn decode_emulation(encoding: Encoding, body: &[u8]) -> Result<EmulationRequest, DecodeError> {
    decode(encoding, body)
}

/// Reads the first word of a client that says nothing else: a bare connect request in JSON. Nothing at all, or `null`,
/// is a request that asks for nothing.
///
/// # Errors
///
/// If it is malformed. Its size is for the caller to limit.
pub fn decode_connect(body: &[u8]) -> Result<ConnectRequest, DecodeError> {
    match body.trim_ascii() {
        b"" | b"null" => Ok(ConnectRequest::default()),
        body => decode(Encoding::Json, body),
    }
}

impl Cursor {
    /// Reads a message; nothing behind one that is malformed is read.
    fn read<'f, R, M>(&mut self, bytes: &'f [u8]) -> Result<M, DecodeError>
    where
        R: prost::Message + Default + Deserialize<'f>,
        M: From<R>,
    {
        let message = decode::<R>(self.encoding, bytes);
        if message.is_err() {
            self.fail();
        }
        message.map(M::from)
    }
}

fn decode<'f, R>(encoding: Encoding, bytes: &'f [u8]) -> Result<R, DecodeError>
where
    R: prost::Message + Default + Deserialize<'f>,
{
    match encoding {
        Encoding::Json => {
            // What is known to be UTF-8 as a whole is not looked at again name by name and payload by payload. What is not
            // is told by the parser, with the place.
            let read = match std::str::from_utf8(bytes) {
                Ok(text) => serde_json::from_str(text),
                Err(_) => serde_json::from_slice(bytes),
            };
            let Object(message) = read.map_err(DecodeError::Json)?;
            Ok(message)
        }
        Encoding::Protobuf => R::decode(bytes).map_err(DecodeError::Protobuf),
    }
}
