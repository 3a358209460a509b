//! Keys that nobody asked for: what they may have been meant as.

use serde_json::{Map, Value};

use super::Reader;
use crate::config::{suggest, unsupported};

impl Reader<'_> {
    /// Notes each key below `path` that is no option. Tables are walked until a key is known or no option lies below.
    pub(super) fn unknown(&mut self, layer: &str, path: &str, values: &Map<String, Value>) {
        for (name, value) in values {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let says_nothing = value.is_null() && self.is_section(&key);
            if says_nothing || self.known.contains(&key.as_str()) {
                continue;
            }
            match value {
                Value::Object(inner) if self.is_section(&key) => self.unknown(layer, &key, inner),
                Value::Object(inner)
                    if !inner.is_empty() && unsupported::reason(&self.full(&key)).is_none() =>
                {
                    self.unknown(layer, &key, inner);
                }
                _ => {
                    let trouble = self.stranger(&key);
                    let problem = self.problem(layer, self.full(&key), trouble);
                    self.problems.push(problem);
                }
            }
        }
    }

    fn is_section(&self, key: &str) -> bool {
        self.known.iter().any(|known| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    }

    fn stranger(&self, key: &str) -> String {
        if self.is_section(key) {
            return "this is a table of options, not an option".to_owned();
        }
        if let Some(reason) = unsupported::reason(&self.full(key)) {
            return format!("not supported: {reason}");
        }
        match suggest::nearest(key, self.known.iter().copied()) {
            Some(meant) => format!("no such option; did you mean {}?", self.full(meant)),
            None => "no such option".to_owned(),
        }
    }
}
