//! A WebSocket (RFC 6455).

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use rand::Rng as _;
use rand::rngs::StdRng;
use spanwire_client_core::Encoding;
use spanwire_ws::handshake::client::{AnswerError, Handshake, Offer, retry_after};
use spanwire_ws::{
    CloseCode, CloseFrame, Connection, Event, HeadLimits, Input, Limits, Opcode, PeerError, Role, State,
    frame,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

use super::dial::{Stream, dial};
use super::{Ends, Loss, News, Way};
use crate::event::Ended;

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// How long a server may take to answer our close frame. The driver waits as long for the carrier.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// The subprotocol of Protobuf sessions. JSON needs none.
const PROTOBUF: &str = "centrifuge-protobuf";

/// Opens a WebSocket and carries frames until the driver lets go.
///
/// # Errors
/// Why it is over, if it was not the driver's wish.
pub(super) async fn carry(way: &Way, mut chance: StdRng, ends: &mut Ends) -> Result<(), Loss> {
    let opened = tokio::select! {
        opened = open(way, &mut chance) => opened?,
        () = ends.let_go() => return Ok(()),
    };
    let (stream, leftover) = opened;
    let (reader, writer) = tokio::io::split(stream);
    let socket = Socket {
        connection: Connection::new(Role::Client),
        limits: Limits {
            frame_bytes_max: way.message_bytes_max,
            message_bytes_max: way.message_bytes_max,
            ..Limits::default()
        },
        opcode: match way.encoding {
            Encoding::Json => Opcode::Text,
            Encoding::Protobuf => Opcode::Binary,
        },
        unsent: Unsent { writer, bytes: BytesMut::new(), is_flushed: true },
        chance,
    };
    ends.tell(News::Opened).await;
    Ok(socket.carry(reader, leftover, ends).await?)
}

/// Connects and shakes hands; what was read behind the answer comes along.
async fn open(way: &Way, chance: &mut StdRng) -> Result<(Box<dyn Stream>, Vec<u8>), Loss> {
    let mut stream = dial(way).await?;
    let target = way.address.websocket();
    let headers: Vec<_> = way.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let subprotocols: &[&str] = if way.encoding == Encoding::Protobuf { &[PROTOBUF] } else { &[] };
    let offer = Offer {
        host: &way.address.authority,
        target: &target,
        subprotocols,
        headers: &headers,
        deflate: None,
    };
    let lost = |error: std::io::Error| Ended::new(Ended::LOST, error.to_string());
    let handshake =
        Handshake::new(offer, chance.random()).map_err(|error| Ended::new(Ended::LOST, error.to_string()))?;
    let mut request = Vec::new();
    handshake.encode_into(&mut request);
    stream.write_all(&request).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.map_err(lost)? == 0 {
            return Err(Ended::new(Ended::LOST, "the server hung up instead of opening a WebSocket").into());
        }
        let welcome = handshake.verify(&answer, &HeadLimits::default());
        if let Some(welcome) = welcome.map_err(|error| refused(error, &answer))? {
            let leftover = welcome.leftover.to_vec();
            return Ok((stream, leftover));
        }
    }
}

fn refused(error: AnswerError, answer: &[u8]) -> Loss {
    let reason = format!("no WebSocket could be opened: {error}");
    match error {
        AnswerError::Status(status) => {
            Loss::refused(status, reason, retry_after(answer, &HeadLimits::default()))
        }
        _ => Ended::new(Ended::LOST, reason).into(),
    }
}

/// An open WebSocket.
struct Socket {
    connection: Connection,
    limits: Limits,
    opcode: Opcode,
    unsent: Unsent,
    chance: StdRng,
}

/// What the stream has not taken yet.
struct Unsent {
    writer: WriteHalf<Box<dyn Stream>>,
    bytes: BytesMut,
    is_flushed: bool,
}

impl Socket {
    async fn carry(
        mut self,
        mut reader: ReadHalf<Box<dyn Stream>>,
        mut leftover: Vec<u8>,
        ends: &mut Ends,
    ) -> Result<(), Ended> {
        self.hear(&mut leftover, ends).await?;
        let mut scratch = vec![0; READ_BYTES];
        loop {
            tokio::select! {
                frame = ends.frames.recv() => match frame {
                    Some(frame) => self.say(&frame),
                    None => return self.say_goodbye(reader, scratch).await,
                },
                count = reader.read(&mut scratch) => match count {
                    Ok(0) => return Err(Ended::new(Ended::LOST, "the connection was closed without a word")),
                    Ok(count) => self.hear(&mut scratch[..count], ends).await?,
                    Err(error) => return Err(Ended::new(Ended::LOST, error.to_string())),
                },
                // A connection that takes nothing any more says why when it is read from.
                Ok(()) = self.unsent.write(), if !self.unsent.is_done() => {}
            }
        }
    }

    fn say(&mut self, message: &[u8]) {
        let mut out = Vec::with_capacity(message.len() + 14);
        frame::client_frame_into(&mut out, self.opcode, message, self.chance.random());
        self.unsent.add(&out);
    }

    /// Takes what was read.
    async fn hear(&mut self, bytes: &mut [u8], ends: &Ends) -> Result<(), Ended> {
        let mut input = Input::new(bytes);
        loop {
            let event = self.connection.next(&mut input, &self.limits);
            let heard = match event {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Text(text))) => Bytes::copy_from_slice(text.as_bytes()),
                Ok(Some(Event::Binary(bytes))) => Bytes::copy_from_slice(bytes),
                Ok(Some(Event::Ping(payload))) => {
                    let mut pong = Vec::new();
                    frame::client_frame_into(&mut pong, Opcode::Pong, payload, self.chance.random());
                    self.unsent.add(&pong);
                    continue;
                }
                Ok(Some(Event::Pong(_))) => continue,
                Ok(Some(Event::Close(close))) => {
                    // 1005 stands for a close frame without a code (section 7.1.5).
                    let code = close.code().map_or(1005, |code| u32::from(code.number()));
                    let why = Ended::new(code, close.reason());
                    self.answer().await;
                    return Err(why);
                }
                Err(sin) => {
                    self.answer().await;
                    return Err(broken(sin));
                }
            };
            ends.tell(News::Frame(heard)).await;
        }
    }

    /// Sends the close frame that is owed, if there is a way to.
    async fn answer(&mut self) {
        if let Some(answer) = self.connection.answer() {
            self.close(answer).await;
        }
    }

    async fn close(&mut self, close: CloseFrame<'_>) {
        let mut out = Vec::new();
        close.encode_into(&mut out, Some(self.chance.random()));
        self.unsent.add(&out);
        let _ = tokio::time::timeout(ANSWER_WITHIN, self.unsent.write_all()).await;
    }

    /// What is still to be sent goes out; then the close frame, and the server's answer is waited for.
    async fn say_goodbye(
        mut self,
        mut reader: ReadHalf<Box<dyn Stream>>,
        mut scratch: Vec<u8>,
    ) -> Result<(), Ended> {
        if let Some(close) = self.connection.close(CloseFrame::new(CloseCode::NORMAL, "")) {
            self.close(close).await;
        }
        let answered = async {
            while let Ok(count @ 1..) = reader.read(&mut scratch).await {
                let mut input = Input::new(&mut scratch[..count]);
                // What was on its way is for nobody any more.
                while let Ok(Some(_)) = self.connection.next(&mut input, &self.limits) {}
                if matches!(self.connection.state(), State::Closed(_)) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(ANSWER_WITHIN, answered).await;
        Ok(())
    }
}

impl Unsent {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.is_flushed = false;
    }

    fn is_done(&self) -> bool {
        self.is_flushed
    }

    /// Writes as much as the stream takes. Nothing is lost, and nothing comes twice, when this is dropped while it waits.
    async fn write(&mut self) -> std::io::Result<()> {
        if self.bytes.is_empty() {
            self.writer.flush().await?;
            self.is_flushed = true;
        } else {
            let count = self.writer.write(&self.bytes).await?;
            self.bytes.advance(count);
        }
        Ok(())
    }

    async fn write_all(&mut self) -> std::io::Result<()> {
        while !self.is_done() {
            self.write().await?;
        }
        Ok(())
    }
}

fn broken(sin: PeerError) -> Ended {
    Ended::new(Ended::BAD_PROTOCOL, format!("the server broke the WebSocket protocol: {}", sin.reason()))
}
