//! `spanwire check-config`: what a server would make of its configuration.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::exit::print;
use super::serve::config_failure;
use super::sources::{Overrides, Sources};
use super::{Exit, Failure};
use crate::Profile;
use crate::config::{ConfigError, Entry, Layer, Settings};

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// The configuration: a .toml or .json file. Without it, the environment and the defaults.
    #[arg(short, long)]
    config: Option<PathBuf>,
    /// Shows the options that are at their defaults too.
    #[arg(long)]
    all: bool,
    /// Warnings are mistakes.
    #[arg(long)]
    strict: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &CheckOptions, overrides: &Overrides) -> Result<(), Failure> {
    let sources = Sources::collect(Layer::new("command line"), overrides, options.config.as_deref())?;
    let (outcome, entries) = Settings::explain(Profile::Secure, &sources.layers);
    let mut warnings = sources.warnings;
    if let Ok(settings) = &outcome {
        warnings.extend(settings.warnings());
    }
    let shown: Vec<_> = entries.iter().filter(|entry| options.all || entry.said.is_some()).collect();
    let error = outcome.err();
    if options.json {
        print(&object(error.as_ref(), &warnings, &shown).to_string())?;
    } else {
        print(&text(&warnings, &shown))?;
    }
    match error {
        Some(error) => Err(config_failure(error)),
        None if options.strict && !warnings.is_empty() => {
            Err(Failure::new(Exit::Config, "there are warnings, and --strict makes mistakes of them"))
        }
        None => Ok(()),
    }
}

fn text(warnings: &[String], entries: &[&Entry]) -> String {
    let mut text = String::new();
    let settings: Vec<_> = entries.iter().map(|entry| setting(entry)).collect();
    let width = settings.iter().map(String::len).max().unwrap_or_default().min(72);
    for (entry, setting) in entries.iter().zip(&settings) {
        let origin = entry.said.as_ref().map_or("default", |said| said.by.as_str());
        let default = match (&entry.said, &entry.default) {
            (Some(_), Some(default)) => format!("   (default {default})"),
            _ => String::new(),
        };
        // Nothing fails that writes to a text.
        let _ = writeln!(text, "{setting:width$}   {origin}{default}");
    }
    for warning in warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    if text.is_empty() {
        text.push_str("every option is at its default\n");
    }
    text.truncate(text.trim_end().len());
    text
}

fn setting(entry: &Entry) -> String {
    let value = match (&entry.said, &entry.default) {
        (Some(said), _) => said.value.as_ref().map_or_else(|| "***".to_owned(), without_secrets),
        (None, Some(default)) => default.to_string(),
        (None, None) => "(none)".to_owned(),
    };
    format!("{} = {value}", entry.key)
}

/// The elements of a list of tables are listed as options of their own, where their secrets are known as such.
fn without_secrets(value: &Value) -> String {
    match value.as_array().map(Vec::as_slice) {
        Some([table]) if table.is_object() => "(1 table)".to_owned(),
        Some(list) if list.iter().any(Value::is_object) => format!("({} tables)", list.len()),
        _ => value.to_string(),
    }
}

fn object(error: Option<&ConfigError>, warnings: &[String], entries: &[&Entry]) -> Value {
    let problem = |problem: &crate::config::Problem| json!({ "layer": problem.layer, "setting": problem.setting, "trouble": problem.trouble });
    let options: Vec<_> = entries
        .iter()
        .map(|entry| {
            let value = match &entry.said {
                Some(said) if said.value.as_ref().is_some_and(|value| !value.is_array()) => {
                    said.value.clone()
                }
                Some(said) => said.value.as_ref().map(|value| without_secrets(value).into()),
                None => entry.default.clone(),
            };
            let is_secret = entry.said.as_ref().is_some_and(|said| said.value.is_none());
            let value = if is_secret { Some("***".into()) } else { value };
            let origin = entry.said.as_ref().map_or("default", |said| said.by.as_str());
            json!({ "key": entry.key, "value": value, "origin": origin, "default": entry.default })
        })
        .collect();
    let problems: Vec<_> = error.into_iter().flat_map(|error| &error.problems).map(problem).collect();
    json!({ "ok": error.is_none(), "problems": problems, "warnings": warnings, "options": options })
}
