//! From a base and a patch to the target.

use std::fmt;

use super::checksum::checksum;
use super::number::read;

/// Why a patch does not make anything of a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchError {
    /// It is cut short, or it is not a patch.
    Malformed,
    /// It announces a target larger than the caller allows.
    TooLarge {
        /// The announced size.
        bytes: u32,
    },
    /// It copies what lies outside the base: this is not the base that it was made for.
    OutsideBase,
    /// What it makes is not as long as announced.
    WrongLength,
    /// What it makes is not what was published: this is not the base that it was made for.
    WrongChecksum,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the patch is cut short, or it is none"),
            Self::TooLarge { bytes } => write!(f, "the patch announces {bytes} bytes, over the limit"),
            Self::OutsideBase => f.write_str("the patch copies what its base does not have"),
            Self::WrongLength => f.write_str("the patch makes another length than it announces"),
            Self::WrongChecksum => f.write_str("the patch was made for another base: the checksum differs"),
        }
    }
}

impl std::error::Error for PatchError {}

/// The target that a patch makes of its base.
///
/// It takes no more memory than twice the target's, which is no longer than `target_bytes_max`, and no more than
/// the segments that are really there make.
///
/// # Errors
/// The patch is malformed, too large, or was made for another base. Nothing of it can be used then: the subscription
/// has to begin anew.
pub fn apply(base: &[u8], patch: &[u8], target_bytes_max: usize) -> Result<Vec<u8>, PatchError> {
    let mut rest = patch;
    let length = number_before(&mut rest, b'\n')?;
    let bytes = length as usize;
    if bytes > target_bytes_max {
        return Err(PatchError::TooLarge { bytes: length });
    }
    let mut target = Vec::new();
    loop {
        let count = read(&mut rest).ok_or(PatchError::Malformed)?;
        let piece = match take_one(&mut rest)? {
            b'@' => {
                let from = number_before(&mut rest, b',')? as usize;
                let copied = base.get(from..).and_then(|base| base.get(..count as usize));
                copied.ok_or(PatchError::OutsideBase)?
            }
            b':' => rest.split_off(..count as usize).ok_or(PatchError::Malformed)?,
            b';' if !rest.is_empty() => return Err(PatchError::Malformed),
            b';' if target.len() != bytes => return Err(PatchError::WrongLength),
            b';' if checksum(&target) != count => return Err(PatchError::WrongChecksum),
            b';' => return Ok(target),
            _ => return Err(PatchError::Malformed),
        };
        if piece.len() > bytes - target.len() {
            return Err(PatchError::WrongLength);
        }
        target.extend_from_slice(piece);
    }
}

fn number_before(rest: &mut &[u8], end: u8) -> Result<u32, PatchError> {
    let number = read(rest).ok_or(PatchError::Malformed)?;
    if take_one(rest)? == end { Ok(number) } else { Err(PatchError::Malformed) }
}

fn take_one(rest: &mut &[u8]) -> Result<u8, PatchError> {
    rest.split_off_first().copied().ok_or(PatchError::Malformed)
}
