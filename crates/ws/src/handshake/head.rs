//! From bytes to the head of a request or of a response (RFC 9112, as far as a handshake needs it).

use httparse::{EMPTY_HEADER, Status};

use super::{Refusal, Request};
use crate::HeadLimits;

/// A request whose head has arrived.
#[derive(Clone, Debug)]
pub struct RequestHead<'b> {
    /// What decides about the upgrade.
    pub request: Request<'b>,
    /// The request's target as sent, as in `/connection/websocket?format=protobuf`.
    pub target: &'b str,
    /// Bytes of the head. What follows them are frames, if the upgrade is accepted: clients may not send them
    /// before the answer (RFC 6455 section 4.1), but keep them rather than lose them.
    pub len: usize,
}

/// Reads the head of a request from the front of `bytes`; `None` asks for more of them.
///
/// Call it again with all bytes so far, not with the new ones only. The answer is the same however they came.
///
/// # Errors
///
/// [`Refusal::HeadMalformed`], [`Refusal::HeadTooLong`] or [`Refusal::TooManyHeaders`].
pub fn parse_request<'b>(bytes: &'b [u8], limits: &HeadLimits) -> Result<Option<RequestHead<'b>>, Refusal> {
    let mut table = [EMPTY_HEADER; HeadLimits::HEADERS_CAP];
    let mut request = httparse::Request::new(within(&mut table, limits));
    let Some(len) = complete(request.parse(window(bytes, limits)), bytes, limits)? else { return Ok(None) };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::HeadMalformed);
    };
    let headers = request.headers.iter().map(|header| (header.name, header.value));
    Ok(Some(RequestHead { request: Request::new(method, (1, minor), headers), target, len }))
}

/// Reads the head of a response: its status, and `read` for each header line. Returns the head's length.
pub(super) fn parse_response<'b>(
    bytes: &'b [u8],
    limits: &HeadLimits,
    mut read: impl FnMut(&'b str, &'b [u8]),
) -> Result<Option<(u16, usize)>, Refusal> {
    let mut table = [EMPTY_HEADER; HeadLimits::HEADERS_CAP];
    let mut response = httparse::Response::new(within(&mut table, limits));
    let Some(len) = complete(response.parse(window(bytes, limits)), bytes, limits)? else { return Ok(None) };
    let Some(status) = response.code else { return Err(Refusal::HeadMalformed) };
    response.headers.iter().for_each(|header| read(header.name, header.value));
    Ok(Some((status, len)))
}

/// The part of the table that may be filled.
fn within<'t, 'b>(
    table: &'t mut [httparse::Header<'b>; HeadLimits::HEADERS_CAP],
    limits: &HeadLimits,
) -> &'t mut [httparse::Header<'b>] {
    &mut table[..limits.headers_max.min(HeadLimits::HEADERS_CAP)]
}

/// What may be looked at: the head must end in here, whatever came after it in the same read.
fn window<'b>(bytes: &'b [u8], limits: &HeadLimits) -> &'b [u8] {
    &bytes[..bytes.len().min(limits.bytes_max)]
}

/// The length of a head that is complete.
fn complete(
    outcome: httparse::Result<usize>,
    bytes: &[u8],
    limits: &HeadLimits,
) -> Result<Option<usize>, Refusal> {
    match outcome {
        Ok(Status::Complete(len)) => Ok(Some(len)),
        Ok(Status::Partial) if bytes.len() >= limits.bytes_max => Err(Refusal::HeadTooLong),
        Ok(Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooManyHeaders),
        Err(_) => Err(Refusal::HeadMalformed),
    }
}
