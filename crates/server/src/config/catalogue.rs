//! What options there are, what was found under each, and where.

use serde_json::Value;

use super::environment;

/// One option, as a reading has met it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its dotted key; `[]` stands for the elements of a list, or `[name]` for one that was found.
    pub key: String,
    /// What it decides, as the end of a sentence: "how often clients are pinged".
    pub doc: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds where nobody says anything; `None` is nothing.
    pub default: Option<Value>,
    /// The least and the greatest value.
    pub range: Option<(String, String)>,
    /// What somebody says, and where; `None` leaves it at the default.
    pub said: Option<Said>,
}

/// A value that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The value as it stands there; `None` is one that must not be shown.
    pub value: Option<Value>,
    /// The name of the layer.
    pub by: String,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// A text such as `25s`.
    Duration,
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// One of these words.
    Choice(Vec<&'static str>),
    /// A list of texts.
    Texts,
    /// A list of tables.
    Tables,
    /// Whatever these words say.
    Other(String),
}

impl Entry {
    /// The environment variable that says it.
    pub fn variable(&self) -> String {
        format!("SPANWIRE_{}", environment::shouted(&self.key))
    }
}

impl Kind {
    /// The value that a text means where there are only texts: in the environment, and on the command line. One that
    /// means nothing stays a text, and whoever reads the option says what is wrong with it.
    pub fn value_of(&self, text: &str) -> Value {
        let json = || serde_json::from_str(text).ok();
        let value = match self {
            Self::Flag | Self::Count => {
                json().filter(|value: &Value| !value.is_object() && !value.is_array())
            }
            Self::Tables => json().filter(Value::is_array),
            Self::Texts if text.trim_start().starts_with('[') => json(),
            Self::Texts => Some(text.split_whitespace().collect()),
            Self::Duration | Self::Text | Self::Secret | Self::Choice(_) => None,
            Self::Other(_) => json().filter(|value: &Value| value.is_array() || value.is_object()),
        };
        value.unwrap_or_else(|| Value::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_means_what_the_kind_of_its_option_says() {
        let table = [
            (Kind::Flag, "true", json!(true)),
            (Kind::Flag, "yes", json!("yes")),
            (Kind::Count, "8000", json!(8000)),
            (Kind::Duration, "25s", json!("25s")),
            (Kind::Text, "true", json!("true")),
            (Kind::Secret, "12", json!("12")),
            (Kind::Texts, "a  b", json!(["a", "b"])),
            (Kind::Texts, r#"["a b"]"#, json!(["a b"])),
            (Kind::Texts, "", json!([])),
            (Kind::Tables, r#"[{"name":"aa"}]"#, json!([{"name": "aa"}])),
            (Kind::Tables, "chat", json!("chat")),
            (Kind::Other(String::new()), "::1", json!("::1")),
            (Kind::Other(String::new()), "127", json!("127")),
        ];
        for (kind, text, expected) in table {
            assert_eq!(kind.value_of(text), expected, "{kind:?} {text}");
        }
    }
}
