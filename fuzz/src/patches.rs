//! The boundary between a server that sends patches and the client that applies them; and between publications of
//! strangers and the server that makes patches of them.

use spanwire_wire::Encoding;
use spanwire_wire::delta::{apply, patch};

/// Longest target that is taken.
const TARGET_BYTES_MAX: usize = 4096;

/// The first byte says how long the base is; what is behind the base is a patch, and a target as well.
///
/// What must hold: a patch makes a target that is not too large, or nothing; and what we make a patch of comes out as it
/// was, from fewer bytes, which are text for those who speak JSON.
///
/// # Panics
///
/// When one of these does not hold.
pub fn patches(input: &[u8]) {
    let Some((base, behind)) = base_and_patch(input) else { return };
    if let Ok(target) = apply(base, behind, TARGET_BYTES_MAX) {
        assert!(target.len() <= TARGET_BYTES_MAX, "{} bytes", target.len());
        says_again(base, &target);
    }
    says_again(base, behind);
}

/// The two parts of an input of [`patches`]; `None` if it is empty.
pub fn base_and_patch(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first()?;
    Some(rest.split_at(rest.len().min(usize::from(*length))))
}

/// Patches of our own, in both encodings.
fn says_again(base: &[u8], target: &[u8]) {
    for encoding in Encoding::ALL {
        let Some(patch) = patch(encoding, base, target) else { continue };
        assert!(patch.len() < target.len(), "a patch must be worth it");
        assert!(encoding == Encoding::Protobuf || std::str::from_utf8(&patch).is_ok(), "{patch:?}");
        assert_eq!(apply(base, &patch, target.len()).as_deref(), Ok(target));
    }
}
