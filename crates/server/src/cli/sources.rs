//! Where a server's options come from: the command line, then the environment, then a file.

use std::ffi::OsString;
use std::path::Path;

use super::serve::config_failure;
use super::{Exit, Failure};
use crate::Profile;
use crate::config::{Environment, Layer, Settings};

/// Options as the command line says them: `--client.ping_interval=9s`, or with a space instead of the `=`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides(Vec<(String, String)>);

/// What a server is configured by, and what is worth a word about it.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The one that decides first.
    pub(super) layers: Vec<Layer>,
    pub(super) warnings: Vec<String>,
}

impl Overrides {
    /// Takes the arguments that name an option of the configuration, which have a dot in their names, out of the
    /// others. What stands behind `--` is left alone.
    pub(super) fn take(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<(Vec<OsString>, Self), Failure> {
        let (mut others, mut found) = (Vec::new(), Vec::new());
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--" {
                others.push(argument);
                break;
            }
            let Some(key) = argument.to_str().and_then(dotted).map(str::to_owned) else {
                others.push(argument);
                continue;
            };
            match key.split_once('=') {
                Some((key, text)) => found.push((key.to_owned(), text.to_owned())),
                None => match arguments.next().and_then(|text| text.into_string().ok()) {
                    Some(text) => found.push((key, text)),
                    None => {
                        return Err(Failure::new(Exit::Usage, format!("--{key} has no value"))
                            .fix(format!("write --{key}=VALUE")));
                    }
                },
            }
        }
        others.extend(arguments);
        Ok((others, Self(found)))
    }

    /// For commands that start no server.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(Failure::new(Exit::Usage, format!("--{key} is an option of the server"))
                .fix("options with a dot go with spanwire, spanwire serve and spanwire check-config")),
        }
    }

    fn into_layer(self) -> Layer {
        let catalogue = Settings::catalogue();
        let mut layer = Layer::new("command line");
        for (key, text) in self.0 {
            let known = catalogue.iter().find(|entry| entry.key == key);
            layer.set(&key, known.map_or_else(|| text.as_str().into(), |entry| entry.kind.value_of(&text)));
        }
        layer
    }
}

/// The key of an argument such as `--client.ping_interval=9s`, with its value if that is in it.
fn dotted(argument: &str) -> Option<&str> {
    let option = argument.strip_prefix("--")?;
    let name = option.split('=').next()?;
    name.contains('.').then_some(option)
}

impl Sources {
    /// The sources of a server: named `options` of a command, options with dots, the environment, and the file.
    pub(super) fn collect(
        options: Layer,
        overrides: &Overrides,
        file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let environment = Environment::read(&Settings::catalogue(), std::env::vars());
        let mut layers = vec![options, overrides.clone().into_layer()];
        layers.extend(environment.layers);
        if let Some(path) = file {
            layers.push(file_layer(path)?);
        }
        Ok(Self { layers, warnings: environment.strangers })
    }
}

/// What a server with this file would be set to, for commands that speak to it.
pub(super) fn settings_of(file: &Path) -> Result<Settings, Failure> {
    let sources = Sources::collect(Layer::new("command line"), &Overrides::default(), Some(file))?;
    Settings::read(Profile::Secure, &sources.layers).map_err(config_failure)
}

fn file_layer(path: &Path) -> Result<Layer, Failure> {
    Layer::from_file(path).map_err(|error| match path.exists() {
        true => Failure::new(Exit::Config, error),
        false => Failure::new(Exit::NoInput, error).fix("write one with spanwire init"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(arguments: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
        let (others, Overrides(found)) = Overrides::take(arguments.iter().map(OsString::from)).unwrap();
        (others.into_iter().map(|other| other.into_string().unwrap()).collect(), found)
    }

    #[test]
    fn options_with_a_dot_are_told_from_the_others() {
        let (others, found) = take(&[
            "spanwire",
            "serve",
            "--client.ping_interval",
            "9s",
            "-c",
            "a.toml",
            "--url=http://a.b",
            "--http_server.port=9",
            "--",
            "--a.b=c",
        ]);
        assert_eq!(others, ["spanwire", "serve", "-c", "a.toml", "--url=http://a.b", "--", "--a.b=c"]);
        let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        assert_eq!(found, [pair("client.ping_interval", "9s"), pair("http_server.port", "9")]);
    }

    #[test]
    fn an_option_without_a_value_is_a_mistake() {
        let failure = Overrides::take(["--client.ping_interval".into()]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }
}
