//! Options that are one value each.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::{Found, Reader};
use crate::config::catalogue::Kind;
use crate::config::duration;

impl Reader<'_> {
    /// A switch.
    pub(in crate::config) fn flag(&mut self, key: &'static str, doc: &'static str, default: bool) -> bool {
        self.note(key, doc, Kind::Flag, Some(default.into()));
        self.understand(key, doc, "true or false", Value::as_bool).map_or(default, |(_, value)| value)
    }

    /// A whole number.
    pub(in crate::config) fn count(
        &mut self,
        key: &'static str,
        doc: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        self.note(key, doc, Kind::Count, Some(default.into()));
        self.bounds(range.start(), range.end());
        let Some((found, number)) = self.understand(key, doc, "a whole number that is not negative", number)
        else {
            return default;
        };
        self.within(&found, number, &range, |bound| bound.to_string()).unwrap_or(default)
    }

    /// A stretch of time.
    pub(in crate::config) fn duration(
        &mut self,
        key: &'static str,
        doc: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let parse = |value: &Value| value.as_str().and_then(duration::parse);
        let wanted = "a duration in quotes, such as \"25s\" or \"720h\"";
        self.note(key, doc, Kind::Duration, Some(duration::print(default).into()));
        self.bounds(duration::print(*range.start()), duration::print(*range.end()));
        let Some((found, length)) = self.understand(key, doc, wanted, parse) else { return default };
        self.within(&found, length, &range, |bound| duration::print(*bound)).unwrap_or(default)
    }

    /// A text.
    pub(in crate::config) fn text(&mut self, key: &'static str, doc: &'static str, default: &str) -> String {
        self.note(key, doc, Kind::Text, Some(default.into()));
        let text = self.understand(key, doc, "a text in quotes", |value| value.as_str().map(str::to_owned));
        text.map_or_else(|| default.to_owned(), |(_, text)| text)
    }

    /// One of a few words.
    pub(in crate::config) fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        default: T,
        words: &[(&'static str, T)],
    ) -> T {
        let listed: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let wanted = format!("one of {}", listed.join(", "));
        let meant = |value: &Value| {
            let word = value.as_str()?;
            words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
        };
        let usual = words.iter().find(|(_, meaning)| *meaning == default).map(|(word, _)| (*word).into());
        self.note(key, doc, Kind::Choice(words.iter().map(|(word, _)| *word).collect()), usual);
        self.understand(key, doc, &wanted, meant).map_or(default, |(_, meaning)| meaning)
    }

    /// A list of texts; without it none.
    pub(in crate::config) fn texts(&mut self, key: &'static str, doc: &'static str) -> Vec<String> {
        self.list(key, doc, "a list of texts in quotes", |text| Some(text.to_owned()))
    }

    /// A list of texts that mean something each; without it none.
    pub(in crate::config) fn list<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let all = |value: &Value| -> Option<Vec<T>> {
            value.as_array()?.iter().map(|text| parse(text.as_str()?)).collect()
        };
        self.note(key, doc, Kind::Texts, None);
        self.understand(key, doc, wanted, all).map_or_else(Vec::new, |(_, all)| all)
    }

    /// Anything that `parse` understands; `wanted` says what that is.
    pub(in crate::config) fn read<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        wanted: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.note(key, doc, Kind::Other(wanted.to_owned()), None);
        self.understand(key, doc, wanted, parse).map(|(_, value)| value)
    }

    /// Notes between what the option that was noted last must be.
    fn bounds(&mut self, least: impl Display, most: impl Display) {
        if let Some(entry) = self.entries.last_mut() {
            entry.range = Some((least.to_string(), most.to_string()));
        }
    }

    fn within<T: PartialOrd>(
        &mut self,
        found: &Found<'_>,
        value: T,
        range: &RangeInclusive<T>,
        print: impl Fn(&T) -> String,
    ) -> Option<T> {
        if range.contains(&value) {
            return Some(value);
        }
        let (least, most) = (print(range.start()), print(range.end()));
        self.wrong(found, &format!("must be from {least} to {most}"));
        None
    }
}
