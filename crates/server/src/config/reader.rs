//! Reads options out of layers, and keeps a list of what was asked and of what was wrong.

mod secrets;
mod strangers;
mod tables;
mod values;

use std::fmt::Display;

use serde_json::{Map, Value};

use super::Layer;
use super::catalogue::{Entry, Kind, Said};
use super::error::Problem;

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

    /// Notes that options do not fit together; `key` names the one to change, which has been read.
    pub(super) fn conflict(&mut self, key: &'static str, trouble: &str) {
        let said = self.layers.iter().find_map(|(layer, values)| Some((*layer, look_up(values, key)?)));
        let (layer, setting) = match said {
            Some((layer, _)) if self.secrets.contains(&key) => (layer, self.full(key)),
            Some((layer, value)) => (layer, format!("{}{key} = {value}", self.place)),
            None => (self.layers.first().map_or("defaults", |(layer, _)| *layer), self.full(key)),
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

    fn find(&mut self, key: &'static str, doc: &'static str) -> Option<Found<'a>> {
        debug_assert!(!self.known.contains(&key), "{key} is read twice");
        self.known.push(key);
        self.layers.iter().find_map(|(layer, values)| {
            let value = look_up(values, key)?;
            Some(Found { layer, key, doc, value })
        })
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
