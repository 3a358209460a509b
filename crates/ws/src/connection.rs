//! One peer's side of the stream: bytes in, events out.

use crate::deflate::Inflater;
use crate::message::Whole;
use crate::partial::{Lent, Partial, Progress};
use crate::{CloseFrame, Event, Extensions, Header, Input, Limits, Opcode, PeerError, State, mask};

/// Which side we are. The other side's frames are masked if it is a client (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We accepted the connection; what arrives must be masked.
    Server,
    /// We opened the connection; what arrives must not be masked.
    Client,
}

/// Everything that must be remembered about a WebSocket between two reads.
///
/// There are four kinds of method. *Input*: [`next`](Self::next) and [`next_lent`](Self::next_lent) take what
/// arrived. *Ending*:
/// [`close`](Self::close) and [`answer`](Self::answer) return the close frame to send, if one is due. *Questions*:
/// [`state`](Self::state), [`role`](Self::role), [`extensions`](Self::extensions),
/// [`bytes_held`](Self::bytes_held). Sending data needs no
/// connection at all; see [`frame`](crate::frame).
///
/// The order of calls after a read: `next` until it returns `None` or an error, then `answer` once; write what
/// came of it; if `answer` returned a frame or the state is [`State::Closed`], hang up.
#[derive(Debug)]
pub struct Connection {
    /// Present only while something is incomplete or lent, so that an idle connection has no heap.
    partial: Option<Box<Partial>>,
    state: State,
    role: Role,
    extensions: Extensions,
}

/// Where an event's payload is.
enum Found {
    /// Whole, at the front of the input, still masked.
    InInput(Header),
    /// There too, and compressed.
    Compressed(Header),
    /// Put together in the partial.
    InPartial,
}

impl Connection {
    /// A connection whose handshake is done, without extensions.
    pub const fn new(role: Role) -> Self {
        Self::with_extensions(role, Extensions::None)
    }

    /// A connection whose handshake agreed on `extensions`.
    pub const fn with_extensions(role: Role, extensions: Extensions) -> Self {
        Self { partial: None, state: State::Open, role, extensions }
    }

    /// Takes bytes from `input` until there is something to say; `None` means that all were taken.
    ///
    /// What is incomplete is kept until more arrives; what was put together and lent is freed by the next call,
    /// so call until there is `None`. After the peer's close frame everything is discarded.
    ///
    /// # Errors
    ///
    /// The peer broke the protocol or a limit. Every later call returns the same error.
    ///
    /// # Compressed messages
    ///
    /// If compression was agreed upon, the first compressed message makes this connection an [`Inflater`] of its
    /// own, about 50 KB, which it keeps. That suits whoever has few connections; others lend one, by
    /// [`next_lent`](Self::next_lent).
    pub fn next<'a, 'b: 'a>(
        &'a mut self,
        input: &mut Input<'b>,
        limits: &Limits,
    ) -> Result<Option<Event<'a>>, PeerError> {
        self.draw(input, limits, None)
    }

    /// The same with an inflater of the caller's, from which a compressed message is lent. The connection keeps none
    /// then, unless context takeover makes it remember what the peer's next message may refer to.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub fn next_lent<'a, 'b: 'a>(
        &'a mut self,
        input: &mut Input<'b>,
        limits: &Limits,
        inflater: &'a mut Inflater,
    ) -> Result<Option<Event<'a>>, PeerError> {
        self.draw(input, limits, Some(inflater))
    }

    /// Ends the connection from our side: the frame to send, or `None` if one was sent before.
    ///
    /// Nothing may be sent after it. Go on reading until the state is [`State::Closed`] or your patience ends.
    pub fn close<'f>(&mut self, frame: CloseFrame<'f>) -> Option<CloseFrame<'f>> {
        self.state.send_close().then_some(frame)
    }

    /// The close frame that is owed to a peer who closed (the same code, section 5.5.1) or erred (the code of
    /// the [`PeerError`]); `None` if nothing is owed. Asking settles it: send the frame, then hang up.
    pub fn answer(&mut self) -> Option<CloseFrame<'static>> {
        self.state.answer()
    }

    /// How far the end has come.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Which side we are.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What the handshake agreed on beside the protocol itself.
    pub const fn extensions(&self) -> Extensions {
        self.extensions
    }

    /// Bytes on the heap that this connection keeps: zero unless something is incomplete, or context is taken over.
    pub fn bytes_held(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| size_of::<Partial>() + partial.capacity())
    }

    #[inline]
    fn draw<'a, 'b: 'a>(
        &'a mut self,
        input: &mut Input<'b>,
        limits: &Limits,
        inflater: Option<&'a mut Inflater>,
    ) -> Result<Option<Event<'a>>, PeerError> {
        match self.find(input, limits) {
            Ok(Some(Found::InInput(header))) => self.event_in_input(&header, input),
            Ok(Some(Found::Compressed(header))) => {
                self.inflate(header.opcode, unmasked(&header, input), limits, inflater)
            }
            Ok(Some(Found::InPartial)) => self.event_in_partial(limits, inflater),
            Ok(None) => Ok(None),
            Err(sin) => Err(self.fail(sin)),
        }
    }

    /// Finds the next thing to say: at once if it is a whole message at the front of the input.
    #[inline]
    fn find(&mut self, input: &mut Input<'_>, limits: &Limits) -> Result<Option<Found>, PeerError> {
        if self.partial.is_none()
            && self.state.is_reading()
            && let Some((header, size)) = Header::decode(input.peek())?
        {
            self.check(&header, limits)?;
            let here = (input.len() - size) as u64;
            if header.is_unfragmented() && !header.rsv1 && header.len <= here {
                input.take(size);
                return Ok(Some(Found::InInput(header)));
            }
        }
        self.find_in_pieces(input, limits)
    }

    /// Finds the next thing to say when something is incomplete, lent, or over.
    #[inline(never)]
    fn find_in_pieces(&mut self, input: &mut Input<'_>, limits: &Limits) -> Result<Option<Found>, PeerError> {
        if !self.state.may_receive()? {
            self.partial = None;
            input.discard();
            return Ok(None);
        }
        self.partial.take_if(|partial| !partial.release());
        loop {
            if let Some(partial) = &mut self.partial {
                match partial.payload(input, limits)? {
                    Progress::Starved => return Ok(None),
                    Progress::Complete => return Ok(Some(Found::InPartial)),
                    Progress::BeforeHeader => {}
                }
            }
            let Some(header) = self.header(input)? else { return Ok(None) };
            self.check(&header, limits)?;
            if header.is_unfragmented() && header.len <= input.len() as u64 {
                let found = if header.rsv1 { Found::Compressed } else { Found::InInput };
                return Ok(Some(found(header)));
            }
            self.partial.get_or_insert_default().begin(&header, limits)?;
        }
    }

    /// Reads the next header; what has arrived of an incomplete one is kept.
    fn header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, PeerError> {
        if let Some(partial) = &mut self.partial {
            return partial.header(input);
        }
        if let Some((header, size)) = Header::decode(input.peek())? {
            input.take(size);
            return Ok(Some(header));
        }
        if !input.is_empty() {
            return self.partial.insert(Box::default()).header(input);
        }
        Ok(None)
    }

    /// Checks what depends on who sent the frame, when, and how much we are willing to take.
    #[inline]
    fn check(&self, header: &Header, limits: &Limits) -> Result<(), PeerError> {
        // RFC 7692 section 6: the bit is on the first frame of a compressed message, and nowhere else.
        if header.rsv1 && !(self.extensions.claim_rsv1() && header.begins_message()) {
            return Err(PeerError::ReservedBit);
        }
        match (self.role, header.mask) {
            (Role::Server, None) => return Err(PeerError::MaskMissing),
            (Role::Client, Some(_)) => return Err(PeerError::MaskForbidden),
            (Role::Server, Some(_)) | (Role::Client, None) => {}
        }
        if header.opcode.is_control() {
            return Ok(());
        }
        let continues = self.partial.as_ref().is_some_and(|partial| partial.has_message());
        match (header.opcode == Opcode::Continuation, continues) {
            (true, false) => return Err(PeerError::ContinuationOfNothing),
            (false, true) => return Err(PeerError::MessageInterrupted),
            (true, true) | (false, false) => {}
        }
        if header.len > limits.frame_bytes_max as u64 {
            return Err(PeerError::FrameTooLong(header.len));
        }
        if header.len > limits.message_bytes_max as u64 {
            return Err(PeerError::MessageTooLong(header.len));
        }
        Ok(())
    }

    /// Lends a frame that lies whole in the input: the common case, without a copy.
    #[inline]
    fn event_in_input<'a, 'b: 'a>(
        &'a mut self,
        header: &Header,
        input: &mut Input<'b>,
    ) -> Result<Option<Event<'a>>, PeerError> {
        let payload = unmasked(header, input);
        let event = match header.opcode {
            Opcode::Text | Opcode::Binary | Opcode::Continuation => event_of(header.opcode, payload),
            Opcode::Ping => Ok(Event::Ping(payload)),
            Opcode::Pong => Ok(Event::Pong(payload)),
            Opcode::Close => CloseFrame::parse(payload).map(|frame| {
                self.state.receive_close(frame.code());
                Event::Close(frame)
            }),
        };
        event.map(Some).map_err(|sin| self.fail(sin))
    }

    /// Lends a compressed message from the inflater that it comes to be in.
    #[inline(never)]
    fn inflate<'a>(
        &'a mut self,
        opcode: Opcode,
        payload: &[u8],
        limits: &Limits,
        lent: Option<&'a mut Inflater>,
    ) -> Result<Option<Event<'a>>, PeerError> {
        let takeover = self.extensions.peer_takes_over(self.role);
        if let Some(inflater) = lent
            && !takeover
        {
            let message = inflater.inflate(payload, false, limits);
            let event = message.and_then(|message| event_of(opcode, message));
            return event.map(Some).map_err(|sin| self.fail(sin));
        }
        match self.partial.get_or_insert_default().inflate(opcode, payload, takeover, limits) {
            Ok(()) => Ok(self.lend()),
            Err(sin) => Err(self.fail(sin)),
        }
    }

    /// Lends what was put together from several reads or fragments.
    #[inline(never)]
    fn event_in_partial<'a>(
        &'a mut self,
        limits: &Limits,
        inflater: Option<&'a mut Inflater>,
    ) -> Result<Option<Event<'a>>, PeerError> {
        match self.partial.as_mut().and_then(|partial| partial.compressed()) {
            Some((opcode, payload)) => self.inflate(opcode, &payload, limits, inflater),
            None => Ok(self.lend()),
        }
    }

    /// Lends what the partial holds for that.
    fn lend(&mut self) -> Option<Event<'_>> {
        let partial = self.partial.as_ref()?;
        let event = match partial.lent() {
            Lent::Nothing => return None,
            Lent::Message(Whole::Text(text)) => Event::Text(text),
            Lent::Message(Whole::Binary(bytes) | Whole::Compressed(_, bytes)) => Event::Binary(bytes),
            Lent::Ping(payload) => Event::Ping(payload),
            Lent::Pong(payload) => Event::Pong(payload),
            Lent::Close(code, reason) => {
                self.state.receive_close(*code);
                Event::Close(CloseFrame::of_parts(*code, reason))
            }
        };
        Some(event)
    }

    /// Remembers the first sin, and gives back what was kept.
    #[cold]
    fn fail(&mut self, sin: PeerError) -> PeerError {
        self.partial = None;
        self.state.fail(sin);
        sin
    }
}

/// Takes a frame's payload, of which all has arrived, without its mask.
#[inline]
fn unmasked<'b>(header: &Header, input: &mut Input<'b>) -> &'b [u8] {
    let payload = input.take_up_to(header.len);
    if let Some(key) = header.mask {
        mask::apply(payload, key);
    }
    payload
}

/// A message that is whole.
#[inline]
fn event_of(opcode: Opcode, message: &[u8]) -> Result<Event<'_>, PeerError> {
    match opcode {
        Opcode::Text => str::from_utf8(message).map(Event::Text).map_err(|_| PeerError::InvalidUtf8),
        _ => Ok(Event::Binary(message)),
    }
}

#[cfg(test)]
mod tests {
    use super::Connection;

    #[test]
    fn an_idle_connection_is_a_few_words() {
        assert!(size_of::<Connection>() <= 40, "{} bytes", size_of::<Connection>());
    }
}
