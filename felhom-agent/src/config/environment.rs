//! Variables of the environment over the file. Only the agent's own are ever looked at.

use std::collections::BTreeMap;
use std::path::Path;

use figment::Figment;
use figment::providers::Serialized;
use proxmox_types::{clean, first_invisible, redact_strictly};
use serde_json::Value;

use super::file::{invalid, unusable};
use super::settings::{ConfigKey, KEYS, PREFIX, Settings, ValueKind};
use super::strict::{LONGEST, meant};
use crate::report::finding::{Finding, Found};

/// Names the configuration file itself.
pub(super) const CONFIG: &str = "FELHOM_AGENT_CONFIG";

/// What is wrong with a variable without a value.
const EMPTY: &str = "is empty; give it a value, or unset it";

/// The variables of the process, or of a test: nothing for a value that is no text. Its `Debug` shows no values.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        let named = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.map(|(name, value)| (name, value.into_string().ok())).collect())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// Refuses an empty name of the configuration file, which would be taken for a file without a name.
    pub(super) fn check_config(&self) -> Found<()> {
        match self.0.get(CONFIG) {
            Some(Some(text)) if text.is_empty() => Err(wrong(CONFIG, EMPTY)),
            Some(None) => Err(wrong(CONFIG, "is not UTF-8 text")),
            _ => Ok(()),
        }
    }

    /// The keys that variables set, each with its variable and its value.
    fn settings(&self) -> Found<Vec<(&'static ConfigKey, &str, Value)>> {
        let ours = self.0.iter().filter(|(name, _)| name.starts_with(PREFIX) && name.as_str() != CONFIG);
        ours.map(|(name, text)| {
            let read = text.as_deref().ok_or_else(|| "is not UTF-8 text".into());
            let read = read.and_then(|text| value(name, text));
            // A secret may have become part of the name.
            read.map(|(key, value)| (key, name.as_str(), value))
                .map_err(|problem| wrong(&redact_strictly(name), &problem))
        })
        .collect()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn wrong(variable: &str, problem: &str) -> Box<Finding> {
    unusable(format!("environment variable {variable}: {problem}"), format!("unset {variable}"))
}

/// The file, which was read strictly before, with each variable merged over it by figment.
///
/// A variable that names the token, or its file, takes the place of both in the file.
pub(super) fn merge(path: &Path, mut file: Value, environment: &Environment) -> Found<Settings> {
    let variables = environment.settings()?;
    let tokens = ["token", "token_file"];
    if let Some(file) = file.as_object_mut()
        && variables.iter().any(|(key, ..)| tokens.contains(&key.path))
    {
        file.retain(|key, _| !tokens.contains(&key.as_str()));
    }
    let file = Figment::from(Serialized::defaults(file));
    let merged = variables
        .iter()
        .fold(file, |merged, (key, _, value)| merged.merge(Serialized::default(key.path, value)));
    // Neither what is merged nor its error is ever printed whole: both hold values.
    merged.extract().map_err(|error| {
        let at = error.path.join(".") + ".";
        // figment quotes a list of quoted words.
        let problem = error.kind.to_string().replace("`one of ", "one of ").replace("``", "`");
        let problem = clean(&redact_strictly(&problem), LONGEST);
        // The path of an item of a list goes on with its number.
        match variables.iter().find(|(key, ..)| at.starts_with(&format!("{}.", key.path))) {
            Some((_, variable, _)) => wrong(variable, &problem),
            None => invalid(path, at.trim_end_matches('.'), &problem),
        }
    })
}

/// The key that a variable sets, and the value; else what is wrong.
fn value(name: &str, text: &str) -> Result<(&'static ConfigKey, Value), String> {
    let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
        let known = meant(KEYS.iter().map(ConfigKey::variable), name, 4);
        return Err(known.map_or_else(|| "unknown".into(), |known| format!("unknown; did you mean {known}?")));
    };
    if let Some(stray) = first_invisible(text).filter(|_| key.path != "token") {
        return Err(format!("holds an invisible character: {stray}"));
    }
    let value = match (key.kind, text) {
        (ValueKind::FileOnly, _) => return Err(format!("`{}` can only be set in the file", key.path)),
        (ValueKind::List, _) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        (_, "") => return Err(EMPTY.into()),
        (ValueKind::Text, _) => text.into(),
        (ValueKind::Flag, "true" | "false") => (text == "true").into(),
        (ValueKind::Flag, _) => return Err("must be true or false".into()),
        (ValueKind::Number, _) => text.parse::<u32>().map_err(|_| "must be a whole number")?.into(),
    };
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(file: Value, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).into()));
        merge(Path::new("c.json"), file, &variables.collect()).map_err(|finding| finding.to_string())
    }

    #[test]
    fn variables_override_the_file() {
        let file = json!({ "url": "https://a", "tls": { "insecure": true }, "storages": ["local"] });
        let variables = [
            ("URL", "https://b"),
            ("TLS__INSECURE", "false"),
            ("STORAGES", "local-zfs, nas"),
            ("SELFTEST__VMID", "300"),
        ];
        let read = merged(file, &variables).unwrap();
        let storages: Vec<String> = read.storages.iter().map(ToString::to_string).collect();
        assert_eq!((read.url.as_str(), read.tls.is_insecure), ("https://b", false));
        assert_eq!((storages.join(" ").as_str(), read.selftest.vmid.unwrap().get()), ("local-zfs nas", 300));
    }

    #[test]
    fn an_all_digit_value_stays_a_string() {
        let read = merged(json!({}), &[("NODE", "0123"), ("TOKEN", "12345678")]).unwrap();
        assert_eq!((read.node.unwrap().as_str(), read.token.unwrap().expose()), ("0123", "12345678"));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        let cases = [
            ("URLS", "x", "URLS: unknown; did you mean FELHOM_AGENT_URL?"),
            ("NODE", "a.b", "NODE: \"a.b\" is not a node name: "),
            ("TLS__INSECURE", "1", "TLS__INSECURE: must be true or false"),
            ("URL", "", "URL: is empty; give it a value, or unset it"),
            ("USB", "x", "USB: `usb` can only be set in the file"),
            ("TLS__PINS", "AB:CD", "TLS__PINS: \"AB:CD\" is not a SHA-256 fingerprint: "),
            ("NODE", "pve\u{2060}1", "NODE: holds an invisible character: U+2060, as character 4"),
            (
                "LOG__LEVEL",
                "felhom@pve!agent=hunter2",
                "LOG__LEVEL: unknown variant: found `felhom@pve!agent=****`, expected one of `error`, ",
            ),
            ("12345678-1234-1234-1234-123456789abc", "x", "****: unknown"),
        ];
        for (name, value, expected) in cases {
            let said = merged(json!({}), &[(name, value)]).map(|_| ()).unwrap_err();
            assert!(said.starts_with(&format!("environment variable {PREFIX}{expected}")), "{name}: {said}");
        }
    }

    #[test]
    fn a_token_variable_takes_the_place_of_both_in_the_file() {
        let read = merged(json!({ "token_file": "/x", "token": "a" }), &[("TOKEN", "b")]).unwrap();
        assert_eq!((read.token_file, read.token.unwrap().expose()), (None, "b"));
    }

    #[test]
    fn debug_shows_no_values() {
        let environment: Environment =
            [("FELHOM_AGENT_TOKEN".into(), "hunter2".into())].into_iter().collect();
        assert_eq!(format!("{environment:?}"), "{\"FELHOM_AGENT_TOKEN\"}");
    }
}
