//! Reads options out of layers, and keeps a list of what was asked and of what was wrong.

mod strangers;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use super::catalogue::{Entry, Kind, Said};
use super::error::Problem;
use super::{Layer, Secret, duration};

/// Reads the options of one table, or of one element of a list of tables.
///
/// Each method reads one option: its key, the sentence that explains it, its default, and its range. A mistake is
/// noted and the default returned, so that one run finds all mistakes.
pub(super) struct Reader<'a> {
    /// The first layer that says something about a key decides.
    layers: Vec<(&'a str, &'a Map<String, Value>)>,
    /// What stands before each key when people are told of it.
    place: String,
    known: Vec<&'static str>,
    /// Those of them whose values nobody is told.
    secrets: Vec<&'static str>,
    problems: Vec<Problem>,
    /// Every option that was asked for, in this order, if anybody wants to know.
    entries: Vec<Entry>,
    curiosity: Curiosity,
}

/// How much of the options is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Curiosity {
    /// Nothing but mistakes.
    None,
    /// What was found for each.
    Found,
    /// Those of lists' elements too, where there is no element.
    All,
}

/// What a reading came to, besides the settings.
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) entries: Vec<Entry>,
}

/// A value that was found, and where.
struct Found<'a> {
    layer: &'a str,
    key: &'static str,
    doc: &'static str,
    value: &'a Value,
}

impl<'a> Reader<'a> {
    /// Reads these layers, the one that decides first.
    pub(super) fn new(layers: &'a [Layer], curiosity: Curiosity) -> Self {
        let layers = layers.iter().map(|layer| (layer.name(), layer.values())).collect();
        Self::at(layers, String::new(), curiosity)
    }

    fn at(layers: Vec<(&'a str, &'a Map<String, Value>)>, place: String, curiosity: Curiosity) -> Self {
        let (known, secrets) = (Vec::new(), Vec::new());
        Self { layers, place, known, secrets, problems: Vec::new(), entries: Vec::new(), curiosity }
    }

    /// A switch.
    pub(super) fn flag(&mut self, key: &'static str, doc: &'static str, default: bool) -> bool {
        self.note(key, doc, Kind::Flag, Some(default.into()));
        self.understand(key, doc, "true or false", Value::as_bool).map_or(default, |(_, value)| value)
    }

    /// A whole number.
    pub(super) fn count(
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
    pub(super) fn duration(
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
    pub(super) fn text(&mut self, key: &'static str, doc: &'static str, default: &str) -> String {
        self.note(key, doc, Kind::Text, Some(default.into()));
        let text = self.understand(key, doc, "a text in quotes", |value| value.as_str().map(str::to_owned));
        text.map_or_else(|| default.to_owned(), |(_, text)| text)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy + PartialEq>(
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
    pub(super) fn texts(&mut self, key: &'static str, doc: &'static str) -> Vec<String> {
        self.list(key, doc, "a list of texts in quotes", |text| Some(text.to_owned()))
    }

    /// A list of texts that mean something each; without it none.
    pub(super) fn list<T>(
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

    /// A key; without it, or with an empty one, none.
    pub(super) fn secret(&mut self, key: &'static str, doc: &'static str) -> Option<Secret> {
        self.secretly(key, doc, |text| Ok::<_, std::convert::Infallible>(Secret::new(text)))
    }

    /// What a text that must not be printed stands for; without it, or with an empty one, nothing.
    pub(super) fn secretly<T, E: Display>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.note(key, doc, Kind::Secret, None);
        self.secrets.push(key);
        let found = self.find(key, doc)?;
        let trouble = match found.value.as_str() {
            Some("") => return None,
            Some(text) => match parse(text) {
                Ok(value) => return Some(value),
                Err(error) => error.to_string(),
            },
            None => "a text in quotes is wanted".to_owned(),
        };
        let problem = self.problem(found.layer, format!("{}{key}", self.place), trouble);
        self.problems.push(problem);
        None
    }

    /// Options that are kept together, read by a reader of their own.
    pub(super) fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'a>) -> T) -> T {
        let layers = self.layers.iter().filter_map(|(layer, values)| Some((*layer, look_up(values, key)?)));
        let tables = layers.clone().filter_map(|(layer, value)| Some((layer, value.as_object()?))).collect();
        let wrong = layers.filter(|(_, value)| !value.is_object());
        let setting = format!("{}{key}", self.place);
        let mut problems: Vec<_> =
            wrong.map(|(layer, _)| self.problem(layer, &setting, "a table of options is wanted")).collect();
        self.known.push(key);
        let mut inner = Reader::at(tables, format!("{setting}."), self.curiosity);
        let value = read(&mut inner);
        self.problems.append(&mut problems);
        self.take_in(inner);
        value
    }

    /// The elements of a list of tables, each with a reader of its own that is called what `name` says of it.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        name: impl Fn(usize, &Map<String, Value>) -> String,
        mut read: impl FnMut(&mut Reader<'a>) -> T,
    ) -> Vec<T> {
        self.note(key, doc, Kind::Tables, None);
        if self.curiosity == Curiosity::All {
            let mut element = Reader::at(Vec::new(), format!("{}{key}[].", self.place), self.curiosity);
            read(&mut element);
            self.entries.append(&mut element.entries);
        }
        let Some(found) = self.find(key, doc) else { return Vec::new() };
        let tables: Option<Vec<_>> =
            found.value.as_array().and_then(|list| list.iter().map(Value::as_object).collect());
        let Some(tables) = tables else {
            self.wrong(&found, "a list of tables is wanted");
            return Vec::new();
        };
        let mut all = Vec::new();
        for (number, table) in tables.into_iter().enumerate() {
            let place = format!("{}{key}[{}].", self.place, name(number, table));
            let layers = vec![(found.layer, table)];
            let mut element = Reader::at(layers, place, self.curiosity);
            all.push(read(&mut element));
            self.take_in(element);
        }
        all
    }

    /// Notes that options do not fit together; `key` names the one to change, which has been read.
    pub(super) fn conflict(&mut self, key: &'static str, trouble: &str) {
        let said = self.layers.iter().find_map(|(layer, values)| Some((*layer, look_up(values, key)?)));
        let (layer, setting) = match said {
            Some((layer, _)) if self.secrets.contains(&key) => (layer, self.full(key)),
            Some((layer, value)) => (layer, format!("{}{key} = {value}", self.place)),
            None => {
                (self.layers.first().map_or("defaults", |(layer, _)| *layer), format!("{}{key}", self.place))
            }
        };
        let problem = self.problem(layer, setting, trouble);
        self.problems.push(problem);
    }

    /// Every mistake, those of keys that nobody asked for included.
    pub(super) fn finish(mut self) -> Report {
        for (layer, values) in std::mem::take(&mut self.layers) {
            self.unknown(layer, "", values);
        }
        Report { problems: self.problems, entries: self.entries }
    }

    /// Takes over what a reader of a part has noted.
    fn take_in(&mut self, part: Reader<'a>) {
        let mut report = part.finish();
        self.problems.append(&mut report.problems);
        self.entries.append(&mut report.entries);
    }

    /// Notes that an option is asked for.
    fn note(&mut self, key: &'static str, doc: &'static str, kind: Kind, default: Option<Value>) {
        if self.curiosity == Curiosity::None {
            return;
        }
        let is_shown = kind != Kind::Secret;
        let found = self.layers.iter().find_map(|(layer, values)| Some((*layer, look_up(values, key)?)));
        let said =
            found.map(|(layer, value)| Said { value: is_shown.then(|| value.clone()), by: layer.to_owned() });
        self.entries.push(Entry { key: self.full(key), doc, kind, default, range: None, said });
    }

    /// Notes between what the option that was noted last must be.
    fn bounds(&mut self, least: impl Display, most: impl Display) {
        if let Some(entry) = self.entries.last_mut() {
            entry.range = Some((least.to_string(), most.to_string()));
        }
    }

    /// Anything that `parse` understands, if it must not be printed.
    pub(super) fn secret_value<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        wanted: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.note(key, doc, Kind::Secret, None);
        self.secrets.push(key);
        let found = self.find(key, doc)?;
        let parsed = parse(found.value);
        if parsed.is_none() {
            let problem = self.problem(
                found.layer,
                format!("{}{key}", self.place),
                format!("{wanted} is wanted ({doc})"),
            );
            self.problems.push(problem);
        }
        parsed
    }

    fn find(&mut self, key: &'static str, doc: &'static str) -> Option<Found<'a>> {
        debug_assert!(!self.known.contains(&key), "{key} is read twice");
        self.known.push(key);
        self.layers.iter().find_map(|(layer, values)| {
            let value = look_up(values, key)?;
            Some(Found { layer, key, doc, value })
        })
    }

    /// Anything that `parse` understands; `wanted` says what that is.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        wanted: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.note(key, doc, Kind::Other(wanted.to_owned()), None);
        self.understand(key, doc, wanted, parse).map(|(_, value)| value)
    }

    fn understand<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        wanted: &str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<(Found<'a>, T)> {
        let found = self.find(key, doc)?;
        match parse(found.value) {
            Some(value) => Some((found, value)),
            None => {
                self.wrong(&found, &format!("{wanted} is wanted"));
                None
            }
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

    fn wrong(&mut self, found: &Found<'_>, trouble: &str) {
        let setting = format!("{}{} = {}", self.place, found.key, found.value);
        let problem = self.problem(found.layer, setting, format!("{trouble} ({})", found.doc));
        self.problems.push(problem);
    }

    fn problem(&self, layer: &str, setting: impl Display, trouble: impl Display) -> Problem {
        Problem { layer: layer.to_owned(), setting: setting.to_string(), trouble: trouble.to_string() }
    }

    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.place)
    }
}

fn look_up<'a>(values: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, rest)) => look_up(values.get(section)?.as_object()?, rest),
        // JSON's way to say nothing.
        None => values.get(key).filter(|value| !value.is_null()),
    }
}
