//! Options whose values nobody is told.

use std::fmt::Display;

use serde_json::Value;

use super::Reader;
use crate::config::Secret;
use crate::config::catalogue::Kind;

impl Reader<'_> {
    /// A key; without it, or with an empty one, none.
    pub(in crate::config) fn secret(&mut self, key: &'static str, doc: &'static str) -> Option<Secret> {
        self.secretly(key, doc, |text| Ok::<_, std::convert::Infallible>(Secret::new(text)))
    }

    /// What a text that must not be printed stands for; without it, or with an empty one, nothing.
    pub(in crate::config) fn secretly<T, E: Display>(
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
        let problem = self.problem(found.layer, self.full(key), trouble);
        self.problems.push(problem);
        None
    }

    /// Anything that `parse` understands, if it must not be printed.
    pub(in crate::config) fn secret_value<T>(
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
            let problem = self.problem(found.layer, self.full(key), format!("{wanted} is wanted ({doc})"));
            self.problems.push(problem);
        }
        parsed
    }
}
