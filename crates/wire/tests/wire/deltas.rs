//! Patches: what we make, what we refuse, and that nothing that they are applied to comes out wrong.
//!
//! After a change on purpose, `SPANWIRE_BLESS=1 cargo test -p spanwire-wire --test wire the_patches_on_file` writes
//! `testdata/deltas.json` anew.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use spanwire_wire::Encoding;
use spanwire_wire::delta::{PatchError, apply, patch};

use crate::golden::{hex, unhex};

/// `testdata/deltas.json`; what it means stands in `testdata/README.md`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct File {
    made: Vec<Made>,
    refused: Vec<Refused>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    name: String,
    encoding: String,
    base: String,
    target: String,
    patch: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Refused {
    name: String,
    base: String,
    patch: String,
}

const BYTES_MAX: usize = 1 << 20;

/// A text of many lines that are much alike, as lists are.
fn list(rows: std::ops::Range<u32>) -> String {
    let rows =
        rows.map(|row| format!(r#"{{"id":{row},"name":"row number {row}","price":{}}}"#, row * 7 % 100));
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

/// What a patch may be made of: name, base and target.
fn texts() -> Vec<(&'static str, String, String)> {
    let said = |text: &str| format!(r#"{{"from":"ann","text":"{text}","read":false}}"#);
    let russian = "Съешь ещё этих мягких французских булок, да выпей чаю";
    let chinese = "我能吞下玻璃而不伤身体。这是一段用来测试的中文文本。";
    vec![
        ("a number in the middle", said("at 101.25 and rising"), said("at 101.75 and rising")),
        ("the same again", said("the same text twice"), said("the same text twice")),
        ("the same again, shorter than any patch", "{\"a\":1}".into(), "{\"a\":1}".into()),
        ("something before", said("a text that stays"), said("now a text that stays")),
        ("something behind", said("a text that stays"), said("a text that stays, and more")),
        ("something less", said("a text that does not all stay"), said("a text that does")),
        ("nothing in common", said("x"), "[1,2,3,4,5,6,7,8,9]".into()),
        (
            "two changes, far from each other",
            list(0..20),
            list(0..20).replace("number 3\"", "number three\"").replace("number 17\"", "number seventeen\""),
        ),
        ("the first row gone, another behind", list(0..20), list(1..21)),
        (
            "halves that change places",
            format!("{}{}", list(0..8), list(50..58)),
            format!("{}{}", list(50..58), list(0..8)),
        ),
        ("Russian: a letter of the same first byte", said(russian), said(&russian.replace('ш', "щ"))),
        ("Russian: a letter of the same last byte", said(russian), said(&russian.replace('ь', "ќ"))),
        ("Chinese: one character", said(chinese), said(&chinese.replace('璃', "琪"))),
        (
            "Chinese: sentences that change places",
            said(chinese),
            said("这是一段用来测试的中文文本。我能吞下玻璃而不伤身体。"),
        ),
        (
            "emoji: the last byte of one",
            said("a face: 😀, and text behind it"),
            said("a face: 😁, and text behind it"),
        ),
        (
            "line breaks and quotes",
            "{\n  \"text\": \"\\n\\\"\\u0001\",\n  \"n\": 1\n}".into(),
            "{\n  \"text\": \"\\n\\\"\\u0001\",\n  \"n\": 2\n}".into(),
        ),
        ("a base that repeats itself", "na".repeat(300), format!("{} batman", "na".repeat(280))),
    ]
}

/// The same for payloads that need not be text.
fn binaries() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let noise = |seed: u32| -> Vec<u8> {
        (0..100_u32).map(|n| (n.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    };
    let changed = |mut bytes: Vec<u8>, at: usize| {
        bytes[at] ^= 0x80;
        bytes
    };
    vec![
        ("one bit", noise(1), changed(noise(1), 60)),
        ("nothing in common", noise(1), noise(50_000)),
        ("within a character", "это текст на русском".into(), changed("это текст на русском".into(), 9)),
        ("from nothing", Vec::new(), noise(1)),
        ("to nothing", noise(1), Vec::new()),
        (
            "a byte behind, so that the checksum has a word less full",
            noise(1)[..40].to_vec(),
            noise(1)[..41].to_vec(),
        ),
    ]
}

/// What is not a patch, or not for this base.
fn wrong() -> Vec<(&'static str, &'static str, &'static str, PatchError)> {
    let base = "0123456789abcdef";
    vec![
        ("nothing", base, "", PatchError::Malformed),
        ("no length", base, "\n4:abcd1XObD_;", PatchError::Malformed),
        ("no end", base, "4\n4:abcd", PatchError::Malformed),
        ("a segment of another kind", base, "4\n4!abcd1XObD_;", PatchError::Malformed),
        ("more to insert than there is", base, "4\nZ:abcd1XObD_;", PatchError::Malformed),
        ("a copy from behind the base", base, "4\n4@H,0;", PatchError::OutsideBase),
        ("a copy beyond the base", base, "4\n4@D,0;", PatchError::OutsideBase),
        ("less than announced", base, "5\n4@0,lCJ8o;", PatchError::WrongLength),
        ("more than announced", base, "3\n4@0,lCJ8o;", PatchError::WrongLength),
        ("another base", "4567", "4\n4@0,lCJ8o;", PatchError::WrongChecksum),
    ]
}

fn on_file() -> File {
    let text = texts().into_iter().map(|(name, base, target)| Made {
        name: name.to_owned(),
        encoding: "json".to_owned(),
        patch: patch(Encoding::Json, base.as_bytes(), target.as_bytes())
            .map(|patch| String::from_utf8(patch).expect("a patch for JSON is UTF-8")),
        base,
        target,
    });
    let binary = binaries().into_iter().map(|(name, base, target)| Made {
        name: name.to_owned(),
        encoding: "protobuf".to_owned(),
        patch: patch(Encoding::Protobuf, &base, &target).map(|patch| hex(&patch)),
        base: hex(&base),
        target: hex(&target),
    });
    let refused = wrong().into_iter().map(|(name, base, patch, _)| Refused {
        name: name.to_owned(),
        base: base.to_owned(),
        patch: patch.to_owned(),
    });
    File { made: text.chain(binary).collect(), refused: refused.collect() }
}

#[test]
fn the_patches_on_file_are_those_that_we_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/deltas.json");
    if std::env::var_os("SPANWIRE_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&on_file()).expect("strings are JSON");
        std::fs::write(&path, text + "\n").expect("testdata can be written to");
    }
    let stored = std::fs::read(&path).expect("the file of patches is there");
    let stored: File = serde_json::from_slice(&stored).expect("the file of patches is JSON");
    assert_eq!(stored, on_file());
}

#[test]
fn every_patch_on_file_makes_its_target_and_cut_anywhere_makes_nothing() {
    for Made { name, encoding, base, target, patch } in on_file().made {
        let Some(patch) = patch else { continue };
        let bytes = |text: &str| if encoding == "json" { text.as_bytes().to_vec() } else { unhex(text) };
        let (base, target, patch) = (bytes(&base), bytes(&target), bytes(&patch));
        assert_eq!(apply(&base, &patch, target.len()), Ok(target.clone()), "{name}");
        assert!(patch.len() < target.len(), "{name}");
        for cut in 0..patch.len() {
            assert!(apply(&base, &patch[..cut], BYTES_MAX).is_err(), "{name}, the first {cut} bytes");
        }
        let too_large = PatchError::TooLarge { bytes: target.len() as u32 };
        assert_eq!(apply(&base, &patch, target.len() - 1), Err(too_large), "{name}");
    }
}

#[test]
fn what_is_no_patch_of_a_base_is_refused_and_says_what_it_is() {
    for (name, base, patch, error) in wrong() {
        assert_eq!(apply(base.as_bytes(), patch.as_bytes(), BYTES_MAX), Err(error), "{name}");
    }
    assert_eq!(
        apply(b"0123", b"4\n4@0,lCJ8o;", BYTES_MAX),
        Ok(b"0123".to_vec()),
        "the checksum above is of this base"
    );
}

#[test]
fn what_is_not_utf8_is_told_whole_to_those_who_speak_json() {
    let text = "a text that is long enough to be worth a patch".as_bytes();
    let binary = [text, b"\xff"].concat();
    for (base, target) in [(text, &binary[..]), (&binary, text), (&binary, &binary)] {
        assert_eq!(patch(Encoding::Json, base, target), None);
        assert!(patch(Encoding::Protobuf, base, target).is_some());
    }
}

#[test]
fn one_change_in_a_large_text_costs_a_small_patch_wherever_it_is() {
    let base = list(0..1_000);
    for at in (0..base.len()).step_by(997) {
        let mut target = base.clone();
        target.replace_range(at..=at, "!");
        let patch = patch(Encoding::Json, base.as_bytes(), target.as_bytes()).expect("it is shorter");
        assert!(patch.len() < 40, "{} bytes for one change at {at}", patch.len());
    }
    let moved = list(1..1_001);
    let patch = patch(Encoding::Json, base.as_bytes(), moved.as_bytes()).expect("it is shorter");
    assert!(patch.len() < 120, "{} bytes for a list that moved on by one", patch.len());
}

/// Changes of a text: where, how much of it goes, and what comes instead.
type Edits = Vec<(prop::sample::Index, usize, String)>;

fn edited(text: &str, edits: &Edits) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, gone, come) in edits {
        let at = at.index(characters.len() + 1);
        let end = (at + gone).min(characters.len());
        characters.splice(at..end, come.chars());
    }
    characters.into_iter().collect()
}

/// Texts in which neighbours of a character share bytes with it.
fn any_text(length: usize) -> impl Strategy<Value = String> {
    vec(prop::sample::select("abc {}\"\\\nабвшщ玻璃琪琺😀😁😂é".chars().collect::<Vec<_>>()), 0..length)
        .prop_map(|characters| characters.into_iter().collect())
}

fn any_edits() -> impl Strategy<Value = Edits> {
    vec((any::<prop::sample::Index>(), 0..12_usize, any_text(6)), 0..6)
}

/// Whether a patch, if there is one, makes the target, and is text and short.
fn is_right(encoding: Encoding, base: &[u8], target: &[u8]) -> Result<(), TestCaseError> {
    let Some(patch) = patch(encoding, base, target) else { return Ok(()) };
    prop_assert!(patch.len() < target.len());
    prop_assert!(encoding == Encoding::Protobuf || std::str::from_utf8(&patch).is_ok());
    prop_assert_eq!(apply(base, &patch, target.len()), Ok(target.to_vec()));
    Ok(())
}

proptest! {
    #[test]
    fn an_edited_text_is_patched_right_in_both_encodings(base in any_text(300), edits in any_edits()) {
        let target = edited(&base, &edits);
        for encoding in Encoding::ALL {
            is_right(encoding, base.as_bytes(), target.as_bytes())?;
        }
    }

    #[test]
    fn a_text_cut_and_joined_at_any_byte_is_patched_right(
        base in any_text(120),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let (base, bytes) = (base.as_bytes(), base.len());
        let target = [&base[from.index(bytes + 1)..], &base[..to.index(bytes + 1)]].concat();
        for encoding in Encoding::ALL {
            is_right(encoding, base, &target)?;
        }
    }

    #[test]
    fn bytes_of_any_kind_are_patched_right(base in vec(0..4_u8, 0..300), target in vec(0..4_u8, 0..300)) {
        is_right(Encoding::Protobuf, &base, &target)?;
    }

    #[test]
    fn any_bytes_make_a_target_of_the_announced_length_or_an_error(
        base in vec(any::<u8>(), 0..40),
        patch in "[0-9A-F]{1,2}\n([0-9]{1,2}[@:,;!][ab0-9]{0,4}[,:;]?){0,6}",
    ) {
        if let Ok(target) = apply(&base, patch.as_bytes(), 100) {
            prop_assert!(target.len() <= 100);
        }
    }
}
