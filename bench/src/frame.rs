//! As much of RFC 6455 as a load generator and a floor need: whole frames, and the bit that says "compressed".
//!
//! The product's own framing is not used here on purpose: a bench that shares code with what it measures
//! would share its mistakes, and the floor must not inherit its cost.

use std::ops::Range;

/// Opcode of a text message (RFC 6455 section 5.2).
pub(crate) const TEXT: u8 = 0x1;
/// Opcode of a binary message.
pub(crate) const BINARY: u8 = 0x2;
/// Opcode of a close frame.
pub(crate) const CLOSE: u8 = 0x8;
/// Opcode of a ping frame.
pub(crate) const PING: u8 = 0x9;
/// Opcode of a pong frame.
pub(crate) const PONG: u8 = 0xA;

/// The mask of every client frame. RFC 6455 wants an unpredictable one to protect proxies; loopback has
/// none, and drawing one per frame would cost the load what the server should have.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame found at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The low four bits of the first byte.
    pub(crate) opcode: u8,
    /// Whether the message is compressed (RFC 7692 section 6).
    pub(crate) compressed: bool,
    /// Where the payload lies in the buffer.
    pub(crate) payload: Range<usize>,
    /// The mask of the payload, if it has one.
    pub(crate) mask: Option<[u8; 4]>,
}

impl Frame {
    /// Reads the frame at `buffer[from..]`; none while it is not whole.
    pub(crate) fn read(buffer: &[u8], from: usize) -> Option<Frame> {
        let bytes = &buffer[from..];
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (length, mut head) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
            short => (u64::from(short), 2),
        };
        let mask = if second & 0x80 == 0 {
            None
        } else {
            let mask = bytes.get(head..head + 4)?.try_into().ok()?;
            head += 4;
            Some(mask)
        };
        let end = usize::try_from(length).ok()?.checked_add(head)?;
        if bytes.len() < end {
            return None;
        }
        Some(Frame {
            opcode: first & 0x0f,
            compressed: first & 0x40 != 0,
            payload: from + head..from + end,
            mask,
        })
    }

    /// The first byte after the frame.
    pub(crate) fn end(&self) -> usize {
        self.payload.end
    }
}

/// Undoes (or applies: it is its own inverse) the mask.
pub(crate) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let word = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut words = payload.chunks_exact_mut(8);
    for bytes in &mut words {
        let masked = u64::from_ne_bytes([
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ]);
        bytes.copy_from_slice(&(masked ^ word).to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a server's frame.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_parts(out, opcode, &[payload]);
}

/// Appends a server's frame whose payload lies in several places.
pub(crate) fn write_parts(out: &mut Vec<u8>, opcode: u8, parts: &[&[u8]]) {
    write_head(out, opcode, parts.iter().map(|part| part.len()).sum(), 0);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends a client's frame, masked.
pub(crate) fn write_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    write_head(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    unmask(&mut out[start..], MASK);
}

/// A client's text frame.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    write_masked(&mut frame, TEXT, payload.as_bytes());
    frame
}

fn write_head(out: &mut Vec<u8>, opcode: u8, length: usize, masked: u8) {
    out.push(0x80 | opcode);
    match length {
        0..=125 => out.push(masked | length as u8),
        126..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_masks_as_in_the_example_of_rfc_6455_section_5_7() {
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(text("Hello"), masked);
    }

    #[test]
    fn every_byte_is_masked_with_its_own_part_of_the_key() {
        for length in 0..40 {
            let mut payload = vec![0; length];
            unmask(&mut payload, MASK);
            let expected: Vec<u8> = (0..length).map(|at| MASK[at % 4]).collect();
            assert_eq!(payload, expected, "{length}");
        }
    }

    #[test]
    fn a_frame_of_every_length_class_is_read_as_it_was_written() {
        for length in [0, 1, 7, 8, 9, 125, 126, 127, 65_535, 65_536, 70_001] {
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut wire = b"before".to_vec();
            write_masked(&mut wire, BINARY, &payload);
            let frame = Frame::read(&wire, 6).expect("the frame is whole");
            assert_eq!((frame.opcode, frame.end()), (BINARY, wire.len()), "{length}");
            let range = frame.payload;
            unmask(&mut wire[range.clone()], frame.mask.expect("clients mask"));
            assert_eq!(&wire[range], &payload[..], "{length}");
        }
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_is_not_a_frame_yet() {
        let mut wire = Vec::new();
        write(&mut wire, TEXT, &[b'x'; 300]);
        for cut in 0..wire.len() {
            assert_eq!(Frame::read(&wire[..cut], 0), None, "cut at {cut}");
        }
        assert!(Frame::read(&wire, 0).is_some());
    }

    #[test]
    fn a_length_beyond_memory_is_no_frame() {
        let wire = [0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
        assert_eq!(Frame::read(&wire, 0), None);
    }
}
