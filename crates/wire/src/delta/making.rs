//! From a base and a target to the patch between them.

use super::blocks::{BLOCK, Blocks, Hash};
use super::checksum::checksum;
use super::likeness;
use super::number::{digits, write};
use crate::Encoding;

/// The patch that makes `target` of `base`, for clients who speak `encoding`; `None` if telling the whole target is
/// shorter.
///
/// JSON carries patches as strings, so for JSON both must be UTF-8 (otherwise it is `None`), and the patch is: what it
/// copies begins and ends between characters.
pub fn patch(encoding: Encoding, base: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    let (Ok(_), Ok(length)) = (u32::try_from(base.len()), u32::try_from(target.len())) else { return None };
    let text = encoding == Encoding::Json;
    if text && (std::str::from_utf8(target).is_err() || std::str::from_utf8(base).is_err()) {
        return None;
    }
    let mut patch = Patch { text, target, out: Vec::new(), told: 0 };
    write(&mut patch.out, length);
    patch.out.push(b'\n');
    patch.tell(base);
    write(&mut patch.out, checksum(target));
    patch.out.push(b';');
    (patch.out.len() < target.len()).then_some(patch.out)
}

/// A patch that is being written.
struct Patch<'t> {
    /// Whether it must be UTF-8.
    text: bool,
    target: &'t [u8],
    out: Vec<u8>,
    /// How much of the target is told.
    told: usize,
}

/// So much of the target, from `at` on, stands in the base at `from`.
#[derive(Clone, Copy)]
struct Stretch {
    at: usize,
    from: usize,
    count: usize,
}

impl Patch<'_> {
    /// Most updates change one place: what is the same before and behind it costs no search.
    fn tell(&mut self, base: &[u8]) {
        let target = self.target;
        let before = likeness::prefix(base, target);
        let behind = likeness::suffix(&base[before..], &target[before..]);
        self.copy(Stretch { at: 0, from: 0, count: before });
        let end = target.len() - behind;
        if end - self.told > BLOCK && base.len() >= BLOCK {
            self.search(&Blocks::of(base), end);
        }
        self.copy(Stretch { at: end, from: base.len() - behind, count: behind });
        self.insert(target.len());
    }

    /// Copies what stands elsewhere in the base, up to `end`.
    fn search(&mut self, blocks: &Blocks<'_>, end: usize) {
        let target = self.target;
        let mut at = self.told;
        while let Some(window) = target[at..end].first_chunk() {
            let mut hash = Hash::of(window);
            loop {
                let longest = self.longest(blocks, hash, at, end);
                if longest.is_some_and(|longest| self.copy(longest)) {
                    at = self.told;
                    break;
                }
                if at + BLOCK >= end {
                    return;
                }
                hash = hash.moved(target[at], target[at + BLOCK]);
                at += 1;
            }
        }
    }

    /// The longest stretch around a block that stands at `at`, of what is not told yet and lies before `end`.
    fn longest(&self, blocks: &Blocks<'_>, hash: Hash, at: usize, end: usize) -> Option<Stretch> {
        let (base, target) = (blocks.base(), self.target);
        let alike = blocks.candidates(hash).filter_map(|from| {
            let forwards = likeness::prefix(&base[from..], &target[at..end]);
            let is_found = forwards >= BLOCK;
            is_found.then(|| {
                let backwards = likeness::suffix(&base[..from], &target[self.told..at]);
                Stretch { at: at - backwards, from: from - backwards, count: backwards + forwards }
            })
        });
        alike.max_by_key(|stretch| stretch.count)
    }

    /// Tells a part of the target by a copy, and what lies before it, if that is shorter than to insert it. Whether it is.
    fn copy(&mut self, stretch: Stretch) -> bool {
        let Stretch { at, from, count } = self.whole_characters(stretch);
        // All lengths were checked to fit.
        let (count, from) = (count as u32, from as u32);
        let cost = digits(count) + 1 + digits(from) + 1;
        if cost >= count as usize {
            return false;
        }
        self.insert(at);
        write(&mut self.out, count);
        self.out.push(b'@');
        write(&mut self.out, from);
        self.out.push(b',');
        self.told = at + count as usize;
        true
    }

    /// Tells what is not told yet of the target before `end`.
    fn insert(&mut self, end: usize) {
        let literal = &self.target[self.told..end];
        if !literal.is_empty() {
            write(&mut self.out, literal.len() as u32);
            self.out.push(b':');
            self.out.extend_from_slice(literal);
            self.told = end;
        }
    }

    /// The part of a stretch that has only whole characters. If they are whole in the target they are in the base: it is the
    /// same bytes, and both are UTF-8.
    fn whole_characters(&self, stretch: Stretch) -> Stretch {
        if !self.text {
            return stretch;
        }
        let Stretch { mut at, mut from, count } = stretch;
        let mut end = at + count;
        while at < end && is_within(self.target, at) {
            (at, from) = (at + 1, from + 1);
        }
        while at < end && is_within(self.target, end) {
            end -= 1;
        }
        Stretch { at, from, count: end - at }
    }
}

/// Whether a character begins before this place and ends behind it.
fn is_within(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
}
