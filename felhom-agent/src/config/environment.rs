//! Environment variables over the file: which there are, and how figment merges them.

use std::path::Path;

use figment::providers::{Format, Json};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use proxmox_types::{clean, first_invisible, redact_strictly};

use super::error::{ConfigError, InvalidSnafu, VariableSnafu};
use super::settings::{KEYS, Key, PREFIX, Settings, ValueKind};
use super::strict::LONGEST;
use super::variables::{CONFIG, Environment};

/// What is wrong with a variable without a value.
const EMPTY: &str = "is empty; give it a value, or unset it";

/// One variable as a provider of its own, so that an error names it.
struct Variable {
    name: String,
    path: &'static str,
    value: Value,
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.path, self.value.clone());
        Ok(nested.into_dict().map(|dict| Profile::Default.collect(dict)).unwrap_or_default())
    }
}

/// The file with the variables over it.
///
/// A variable that names the token, or its file, takes the place of both in the file.
pub(super) fn merge(path: &Path, text: &str, environment: &Environment) -> Result<Settings, ConfigError> {
    let variables = variables(environment)?;
    let names: Vec<String> = variables.iter().map(|variable| variable.name.clone()).collect();
    let sets = |path| variables.iter().any(|variable| variable.path == path);
    let (sets_token, sets_file) = (sets("token"), sets("token_file"));
    let figment = variables.into_iter().fold(Figment::new().merge(Json::string(text)), Figment::merge);
    // Neither the figment nor its error is ever printed whole: both hold values.
    let extracted = figment.extract().map_err(|error: figment::Error| {
        let source = error.metadata.as_ref().map(|metadata| metadata.name.to_string()).unwrap_or_default();
        // figment quotes a list of quoted words.
        let problem = error.kind.to_string().replace("`one of ", "one of ").replace("``", "`");
        let problem = clean(&redact_strictly(&problem), LONGEST);
        if names.contains(&source) {
            VariableSnafu { variable: source, problem }.build()
        } else {
            InvalidSnafu { path, key: "configuration", problem }.build()
        }
    });
    let mut settings: Settings = extracted?;
    if sets_token != sets_file {
        settings.token = settings.token.filter(|_| sets_token);
        settings.token_file = settings.token_file.filter(|_| sets_file);
    }
    Ok(settings)
}

fn variables(environment: &Environment) -> Result<Vec<Variable>, ConfigError> {
    let ours = environment.0.iter().filter(|(name, _)| name.starts_with(PREFIX) && name.as_str() != CONFIG);
    ours.map(|(name, text)| match text {
        Some(text) => variable(name, text),
        None => VariableSnafu { variable: name, problem: "is not UTF-8 text" }.fail(),
    })
    .collect()
}

/// Refuses an empty name of the configuration file, which would be taken for a file without a name.
pub(super) fn check_config(environment: &Environment) -> Result<(), ConfigError> {
    match environment.0.get(CONFIG) {
        Some(Some(text)) if text.is_empty() => VariableSnafu { variable: CONFIG, problem: EMPTY }.fail(),
        Some(None) => VariableSnafu { variable: CONFIG, problem: "is not UTF-8 text" }.fail(),
        _ => Ok(()),
    }
}

fn variable(name: &str, text: &str) -> Result<Variable, ConfigError> {
    // A secret may have become part of the name.
    let refuse = |problem: String| VariableSnafu { variable: redact_strictly(name), problem }.fail();
    let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
        let nearest = KEYS
            .iter()
            .map(Key::variable)
            .map(|known| (strsim::damerau_levenshtein(&known, name), known))
            .min();
        return refuse(match nearest {
            Some((distance, known)) if distance <= 4 => format!("unknown; did you mean {known}?"),
            _ => "unknown".into(),
        });
    };
    if let Some(stray) = first_invisible(text).filter(|_| key.path != "token") {
        return refuse(format!("holds an invisible character: {stray}"));
    }
    let value = match key.kind {
        ValueKind::Text | ValueKind::Flag | ValueKind::Number if text.is_empty() => {
            return refuse(EMPTY.into());
        }
        ValueKind::Text => Value::from(text),
        ValueKind::List => {
            Value::from(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>())
        }
        ValueKind::Flag => match text {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => return refuse("must be true or false".into()),
        },
        ValueKind::Number => match text.parse::<u32>() {
            Ok(number) => Value::from(number),
            Err(_) => return refuse("must be a whole number".into()),
        },
        ValueKind::FileOnly => return refuse(format!("`{}` can only be set in the file", key.path)),
    };
    Ok(Variable { name: name.into(), path: key.path, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        merge(Path::new("c.json"), text, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_override_the_file() {
        let text = r#"{"url": "https://a", "tls": {"insecure": true}, "storages": ["local"]}"#;
        let raw = merged(
            text,
            &[
                ("FELHOM_AGENT_URL", "https://b"),
                ("FELHOM_AGENT_TLS__INSECURE", "false"),
                ("FELHOM_AGENT_STORAGES", "local-zfs, nas"),
                ("FELHOM_AGENT_SELFTEST__VMID", "300"),
            ],
        )
        .unwrap();
        let storages: Vec<String> = raw.storages.iter().map(ToString::to_string).collect();
        assert_eq!(
            (raw.url.as_str(), raw.tls.is_insecure, storages.join(" ")),
            ("https://b", false, "local-zfs nas".into())
        );
        assert_eq!(raw.selftest.vmid.map(proxmox_types::Vmid::get), Some(300));
    }

    #[test]
    fn an_all_digit_value_stays_a_string() {
        let raw = merged("{}", &[("FELHOM_AGENT_NODE", "0123"), ("FELHOM_AGENT_TOKEN", "12345678")]).unwrap();
        let token = raw.token.map(|token| token.expose().to_string());
        assert_eq!(
            (raw.node.map(|node| node.to_string()), token),
            (Some("0123".into()), Some("12345678".into()))
        );
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let problems = [
            merged("{}", &[("FELHOM_AGENT_URLS", "x")]),
            merged("{}", &[("FELHOM_AGENT_NODE", "a.b")]),
            merged("{}", &[("FELHOM_AGENT_TLS__INSECURE", "1")]),
            merged("{}", &[("FELHOM_AGENT_URL", "")]),
            merged("{}", &[("FELHOM_AGENT_USB", "x")]),
            merged("{}", &[("FELHOM_AGENT_TLS__PINS", "AB:CD")]),
            merged("{}", &[("FELHOM_AGENT_NODE", "pve\u{2060}1")]),
            merged("{}", &[("FELHOM_AGENT_LOG__LEVEL", "felhom@pve!agent=hunter2")]),
            merged("{}", &[("FELHOM_AGENT_12345678-1234-1234-1234-123456789abc", "x")]),
        ]
        .map(|merged| merged.map(|_| ()).unwrap_err());
        assert_eq!(
            problems,
            [
                "environment variable FELHOM_AGENT_URLS: unknown; did you mean FELHOM_AGENT_URL?",
                "environment variable FELHOM_AGENT_NODE: \"a.b\" is not a node name: letters, digits and inner hyphens, 1 \
             to 63 characters; PVE uses the short host name, without a domain",
                "environment variable FELHOM_AGENT_TLS__INSECURE: must be true or false",
                "environment variable FELHOM_AGENT_URL: is empty; give it a value, or unset it",
                "environment variable FELHOM_AGENT_USB: `usb` can only be set in the file",
                "environment variable FELHOM_AGENT_TLS__PINS: \"AB:CD\" is not a SHA-256 fingerprint: 64 hex digits, in \
             pairs joined by colons or without any",
                "environment variable FELHOM_AGENT_NODE: holds an invisible character: U+2060, as character 4",
                "environment variable FELHOM_AGENT_LOG__LEVEL: unknown variant: found `felhom@pve!agent=****`, expected \
             one of `error`, `warn`, `info`, `debug`, `trace`",
                "environment variable FELHOM_AGENT_****: unknown",
            ]
        );
    }

    #[test]
    fn a_token_variable_takes_the_place_of_both_in_the_file() {
        let raw = merged(r#"{"token_file": "/x", "token": "a"}"#, &[("FELHOM_AGENT_TOKEN", "b")]).unwrap();
        assert_eq!((raw.token_file, raw.token.map(|t| t.expose().to_string())), (None, Some("b".into())));
    }

    #[test]
    fn debug_shows_no_values() {
        let environment: Environment =
            [("FELHOM_AGENT_TOKEN".to_string(), "hunter2".to_string())].into_iter().collect();
        assert_eq!(format!("{environment:?}"), "{\"FELHOM_AGENT_TOKEN\"}");
    }
}
