//! Layers: where settings come from.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Largest configuration file that is read, in bytes. Namespaces by the thousand fit in.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A source of settings with a name, for saying where a value comes from.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    name: String,
    values: Map<String, Value>,
}

/// Why a file is no layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is larger than anybody's configuration.
    #[error("{}: larger than {FILE_BYTES_MAX} bytes; is this the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Its name does not say what is in it.
    #[error("{}: the name must end in .toml or .json", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It is not what its name says.
    #[error("{name}: {message}")]
    Malformed {
        /// The file or other source.
        name: String,
        /// Line, column, and what is wrong there.
        message: String,
    },
}

impl Layer {
    /// A layer without values.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Map::new() }
    }

    /// Reads a `.toml` or `.json` file.
    ///
    /// # Errors
    /// See [`LayerError`].
    pub fn from_file(path: &Path) -> Result<Self, LayerError> {
        let unreadable = |source| LayerError::Unreadable { path: path.to_owned(), source };
        let parse = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::from_toml,
            Some("json") => Self::from_json,
            _ => return Err(LayerError::UnknownFormat { path: path.to_owned() }),
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
            return Err(LayerError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        parse(&path.display().to_string(), &text)
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// [`LayerError::Malformed`].
    pub fn from_toml(name: &str, text: &str) -> Result<Self, LayerError> {
        // The error's own words would quote the line, and a secret may stand on it.
        let table: toml::Table = toml::from_str(text).map_err(|error| LayerError::Malformed {
            name: name.to_owned(),
            message: format!("{}{}", place(text, error.span()), error.message()),
        })?;
        let values = table.into_iter().map(|(key, value)| (key, plain(value))).collect();
        Ok(Self { name: name.to_owned(), values })
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`LayerError::Malformed`].
    pub fn from_json(name: &str, text: &str) -> Result<Self, LayerError> {
        let malformed = |message| LayerError::Malformed { name: name.to_owned(), message };
        match serde_json::from_str(text).map_err(|error| malformed(error.to_string()))? {
            Value::Object(values) => Ok(Self { name: name.to_owned(), values }),
            _ => Err(malformed("it must be an object, with the options as its members".to_owned())),
        }
    }

    /// Adds one value under a dotted key. What was there under that key, or is in the way of it, is replaced.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.values;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let entry = table.entry(section).or_insert_with(|| Value::Object(Map::new()));
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            let Value::Object(inner) = entry else { return };
            table = inner;
        }
        table.insert(last.to_owned(), value.into());
    }

    pub(super) fn into_values(self) -> Map<String, Value> {
        self.values
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn values(&self) -> &Map<String, Value> {
        &self.values
    }
}

/// Says where in a text something begins, as people count.
fn place(text: &str, span: Option<Range<usize>>) -> String {
    let Some(before) = span.and_then(|span| text.get(..span.start)) else { return String::new() };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    format!("line {line}, column {column}: ")
}

/// TOML has one kind of value more than JSON: dates, which no option takes, so that their text is as good.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(plain).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml =
            "[client]\nping_interval = \"9s\"\n[[channel.namespaces]]\nname = \"chat\"\nhistory_size = 3\n";
        let json = r#"{"client": {"ping_interval": "9s"},
                       "channel": {"namespaces": [{"name": "chat", "history_size": 3}]}}"#;
        let (toml, json) = (Layer::from_toml("t", toml).unwrap(), Layer::from_json("j", json).unwrap());
        assert_eq!(toml.values, json.values);
    }

    #[test]
    fn a_broken_file_is_refused_with_the_place() {
        let toml = Layer::from_toml("a.toml", "[client]\nping_interval = \n").unwrap_err().to_string();
        assert!(toml.starts_with("a.toml: ") && toml.contains("line 2"), "{toml}");
        let json = Layer::from_json("a.json", "{\n \"client\": }").unwrap_err().to_string();
        assert!(json.starts_with("a.json: ") && json.contains("line 2"), "{json}");
        assert!(Layer::from_json("a.json", "[]").is_err());
    }

    #[test]
    fn a_broken_file_keeps_its_secrets() {
        let broken = [
            "[http_api]\nkey = \"open-sesame\"\nkey = \"open-sesame\"",
            "[http_api]\nkey = \"open-sesame",
            "http_api.key = open-sesame",
        ];
        for text in broken {
            let error = Layer::from_toml("a.toml", text).unwrap_err().to_string();
            assert!(error.contains("line ") && !error.contains("open-sesame"), "{error}");
        }
        let error = Layer::from_json("a.json", "\"open-sesame\"").unwrap_err().to_string();
        assert!(!error.contains("open-sesame"), "{error}");
    }

    #[test]
    fn a_file_must_say_by_its_name_what_it_is() {
        let error = Layer::from_file(Path::new("spanwire.yaml")).unwrap_err();
        assert_eq!(error.to_string(), "spanwire.yaml: the name must end in .toml or .json");
        let error = Layer::from_file(Path::new("no/such/spanwire.toml")).unwrap_err();
        assert!(matches!(error, LayerError::Unreadable { .. }));
    }

    #[test]
    fn setting_a_dotted_key_makes_the_tables_on_the_way() {
        let mut layer = Layer::new("command line");
        layer.set("http_server.port", 9);
        layer.set("http_server.address", "::1");
        layer.set("top", true);
        layer.set("top.inner", 1);
        let expected = json!({"http_server": {"port": 9, "address": "::1"}, "top": {"inner": 1}});
        assert_eq!(Value::Object(layer.values), expected);
    }
}
