//! `spanwire config-reference`: every option there is, from the code that reads it.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::Failure;
use super::exit::print;
use crate::config::{Entry, Kind, Settings};

#[derive(Debug, Args)]
pub(super) struct ReferenceOptions {
    /// As what it is written.
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Tables, for people.
    Markdown,
    /// A schema, for editors that complete and check.
    JsonSchema,
    /// Environment variables with their defaults.
    Env,
}

pub(super) fn run(options: &ReferenceOptions) -> Result<(), Failure> {
    let catalogue = Settings::catalogue();
    print(&match options.format {
        Format::Markdown => markdown(&catalogue),
        Format::JsonSchema => format!("{:#}", schema(&catalogue)),
        Format::Env => environment(&catalogue),
    })
}

/// The page `docs/config-reference.md`.
pub(super) fn markdown(catalogue: &[Entry]) -> String {
    let mut page = String::from(
        "# Configuration reference\n\n\
         Written by `spanwire config-reference`. Keys are Centrifugo's wherever the concept exists. An option is said by a\n\
         flag (`--client.ping_interval=9s`), by an environment variable (`SPANWIRE_CLIENT_PING_INTERVAL=9s`: the key in\n\
         capitals, with `_` for what is no letter or digit; Centrifugo's `CENTRIFUGO_…` names are read too), or in the file\n\
         of `spanwire serve -c`; what stands first here wins. `spanwire check-config` says what holds, and why.\n\n\
         Durations are texts such as `\"25s\"`, `\"1h30m\"` or `\"500ms\"`. Lists of texts have spaces between them in a variable.\n",
    );
    for section in sections(catalogue) {
        let _ = write!(page, "\n## {section}\n\n| key | decides | value | default |\n|---|---|---|---|\n");
        for entry in catalogue.iter().filter(|entry| section_of(&entry.key) == section) {
            let default = entry.default.as_ref().map_or_else(String::new, |default| format!("`{default}`"));
            let doc = entry.doc.replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {doc} | {} | {default} |", entry.key, value_of(entry));
        }
    }
    page.truncate(page.trim_end().len());
    page
}

/// The sections, in the order in which they come up first.
fn sections(catalogue: &[Entry]) -> Vec<&str> {
    let mut sections = Vec::new();
    for section in catalogue.iter().map(|entry| section_of(&entry.key)) {
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    sections
}

/// The first word of a key; what belongs to lists of tables has a section of its own.
fn section_of(key: &str) -> &str {
    match key.split_once("[]") {
        Some((list, _)) => list,
        None => key.split('.').next().unwrap_or(key),
    }
}

fn value_of(entry: &Entry) -> String {
    let range = entry.range.as_ref().map(|(least, most)| format!(", {least} to {most}")).unwrap_or_default();
    let kind = match &entry.kind {
        Kind::Flag => "true or false".to_owned(),
        Kind::Count => "number".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Secret => "secret text".to_owned(),
        Kind::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Tables => "list of tables".to_owned(),
        Kind::Other(wanted) => wanted.clone(),
    };
    format!("{kind}{range}")
}

/// A JSON Schema (draft 2020-12) of the file.
fn schema(catalogue: &[Entry]) -> Value {
    let mut root = object();
    for entry in catalogue {
        let mut place = &mut root;
        let mut steps = entry.key.split('.').peekable();
        while let Some(step) = steps.next() {
            let (name, is_list) = step.strip_suffix("[]").map_or((step, false), |name| (name, true));
            let known = place["properties"].as_object_mut().map(|all| all.entry(name).or_insert(Value::Null));
            let Some(next) = known else { break };
            if steps.peek().is_none() && !is_list {
                *next = leaf(entry);
                break;
            }
            if is_list {
                if next["items"].is_null() {
                    next["items"] = object();
                }
                place = &mut next["items"];
            } else {
                if next.is_null() {
                    *next = object();
                }
                place = next;
            }
        }
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = "Spanwire configuration".into();
    root
}

fn object() -> Value {
    json!({ "type": "object", "properties": Map::new(), "additionalProperties": false })
}

fn leaf(entry: &Entry) -> Value {
    let mut leaf = match &entry.kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer" }),
        Kind::Duration => json!({ "type": "string", "pattern": "^(0|([0-9]+(ms|s|m|h))+)$" }),
        Kind::Text | Kind::Secret => json!({ "type": "string" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Tables => json!({ "type": "array" }),
        Kind::Other(_) => json!({}),
    };
    leaf["description"] = entry.doc.into();
    if let Some(default) = &entry.default {
        leaf["default"] = default.clone();
    }
    if let (Kind::Count, Some((least, most))) = (&entry.kind, &entry.range) {
        leaf["minimum"] = least.parse::<u64>().unwrap_or_default().into();
        leaf["maximum"] = most.parse::<u64>().unwrap_or(u64::MAX).into();
    }
    leaf
}

fn environment(catalogue: &[Entry]) -> String {
    let lines = catalogue.iter().filter(|entry| !entry.key.contains("[]")).map(|entry| {
        let default = match &entry.default {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        format!("# {}\n# {}={default}", entry.doc, entry.variable())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_line_a_property_and_a_variable() {
        let catalogue = Settings::catalogue();
        assert!(catalogue.len() > 60, "{}", catalogue.len());
        let (page, schema, variables) = (markdown(&catalogue), schema(&catalogue), environment(&catalogue));
        for entry in &catalogue {
            assert!(page.contains(&format!("| `{}` |", entry.key)), "{}", entry.key);
            assert!(entry.key.contains("[]") || variables.contains(&entry.variable()), "{}", entry.key);
        }
        let interval = &schema["properties"]["client"]["properties"]["ping_interval"];
        assert_eq!(interval["default"], "25s");
        let namespace = &schema["properties"]["channel"]["properties"]["namespaces"]["items"];
        assert_eq!(namespace["properties"]["history_size"]["type"], "integer");
        assert_eq!(namespace["additionalProperties"], false);
    }

    /// The page is written by `spanwire config-reference > docs/config-reference.md`.
    #[test]
    fn the_page_in_the_docs_says_what_the_code_reads() {
        let page = include_str!("../../../../docs/config-reference.md");
        let written = format!("{}\n", markdown(&Settings::catalogue()));
        let differs = page.lines().zip(written.lines()).find(|(said, read)| said != read);
        assert_eq!(differs, None, "write it anew");
        assert_eq!(page.len(), written.len(), "write it anew");
    }
}
