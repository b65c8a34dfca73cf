//! The strict parse of the file, which tells line and column of what is wrong.
//!
//! figment merges values but tells neither where in a file they stood nor that a key occurred twice.

use std::path::Path;

use proxmox_types::{Stray, clean, first_invisible, is_invisible, redact, redact_strictly};
use serde_json::Value;
use serde_json::error::Category;

use super::error::{ConfigError, InvalidSnafu, MalformedSnafu};
use super::settings::{KEYS, Object, Settings};

/// Longest problem that is told, in bytes: a value may be as large as the file.
pub(super) const LONGEST: usize = 1024;

/// Checks the text of the file against what a configuration may hold.
///
/// What it says of a text that somebody pasted into the wrong place never shows a token.
pub(super) fn parse(path: &Path, text: &str) -> Result<Settings, ConfigError> {
    let unseen = serde_json::from_str(text).ok().and_then(|value| invisible("", &value));
    if let Some((key, stray)) = unseen {
        let problem = format!("holds an invisible character: {stray}");
        let key = redact_strictly(&key).replace(is_invisible, "\u{fffd}");
        return InvalidSnafu { path, key, problem }.fail();
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let at = error.path().to_string();
        (at, error.into_inner())
    });
    let parsed = parsed.map(|Object(settings)| settings);
    let parsed = parsed
        .and_then(|settings| deserializer.end().map(|()| settings).map_err(|error| (".".into(), error)));
    parsed.map_err(|(at, error)| {
        MalformedSnafu {
            path,
            line: error.line(),
            // serde_json tells of what is before the first character by a 0.
            column: error.column().max(1),
            problem: problem(text, &at, &error),
        }
        .build()
    })
}

fn problem(text: &str, at: &str, error: &serde_json::Error) -> String {
    if text.starts_with('\u{feff}') {
        return "the file begins with a byte order mark, which JSON does not allow".into();
    }
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    if error.classify() != Category::Data {
        let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
        let unseen = first_invisible(line);
        let unseen = unseen.map(|stray| format!("; the line holds an invisible character: {stray}"));
        return format!("not JSON: {said}{}", unseen.unwrap_or_default());
    }
    let problem = match unknown_key(said) {
        Some(key) => format!("unknown key `{}`{}", shown(key), suggestion(at, key)),
        None if at == "." => said.into(),
        None => format!("`{at}`: {said}"),
    };
    // The UUIDs of file systems are no secrets.
    let shown = if at.starts_with("usb") { redact(&problem) } else { redact_strictly(&problem) };
    clean(&shown, LONGEST)
}

/// The first invisible character of a value or a key, and where; those of the token are told with the token.
fn invisible(at: &str, value: &Value) -> Option<(String, Stray)> {
    match value {
        Value::String(text) if at != "token" => first_invisible(text).map(|stray| (at.into(), stray)),
        Value::Array(items) => {
            (0_usize..).zip(items).find_map(|(index, item)| invisible(&format!("{at}[{index}]"), item))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            first_invisible(key).map(|stray| (at.clone(), stray)).or_else(|| invisible(&at, value))
        }),
        _ => None,
    }
}

fn unknown_key(said: &str) -> Option<&str> {
    said.strip_prefix("unknown field `")?.split('`').next()
}

/// A key that may be a misplaced secret is not printed.
fn shown(key: &str) -> &str {
    let is_name =
        key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if is_name { key } else { "(not printed)" }
}

/// What was probably meant.
fn suggestion(at: &str, key: &str) -> String {
    let parent = at.rsplit_once('.').map_or("", |(parent, _)| parent);
    let names = KEYS.iter().filter_map(|known| match parent {
        "" => known.path.split('.').next(),
        parent => known.path.strip_prefix(parent)?.strip_prefix('.'),
    });
    let scored = names.map(|name| (strsim::damerau_levenshtein(name, key), name));
    match scored.min() {
        Some((distance, name)) if distance <= 3 => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(Path::new("c.json"), text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn wrong_keys_and_values_are_told_with_line_and_column() {
        let cases = [
            ("{\n  \"tlss\": {}\n}", "c.json:2:8: unknown key `tlss`; did you mean `tls`?"),
            ("{\"tls\": {\"pin\": []}}", "c.json:1:14: unknown key `pin`; did you mean `pins`?"),
            ("{\"zzzzzzzz\": 1}", "c.json:1:11: unknown key `zzzzzzzz`"),
            ("{\"node\": \"a\",\n \"node\": \"b\"}", "c.json:2:7: duplicate field `node`"),
            ("{\"node\": 7}", "c.json:1:10: `node`: invalid type: integer `7`, expected a string"),
            (
                "{\"tls\": {\"insecure\": \"yes\"}}",
                "c.json:1:26: `tls.insecure`: invalid type: string \"yes\", expected a boolean",
            ),
            ("[]", "c.json:1:1: invalid type: sequence, expected an object"),
            ("{\"tls\": [[]]}", "c.json:1:8: `tls`: invalid type: sequence, expected an object"),
            (
                "{\"usb\": [[\"a\", \"1A2B-3C4D\"]]}",
                "c.json:1:9: `usb[0]`: invalid type: sequence, expected an object",
            ),
            ("{\"url\": NaN}", "c.json:1:9: not JSON: expected value"),
            ("{} x", "c.json:1:4: not JSON: trailing characters"),
            ("", "c.json:1:1: not JSON: EOF while parsing a value"),
            ("\u{feff}{}", "c.json:1:1: the file begins with a byte order mark, which JSON does not allow"),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_in_the_wrong_place_is_not_printed() {
        let uuid = "12345678-1234-1234-1234-123456789abc";
        let texts = [
            format!("{{\"felhom@pve!agent={uuid}\": 1}}"),
            "{\"token\": 12345678}".to_string(),
            format!("{{\"token\": [\"{uuid}\"]}}"),
            format!("{{\"token\": {{\"{uuid}\": 1}}}}"),
            format!("{{\"node\": \"felhom@pve!agent={uuid}\"}}"),
            format!("{{\"tls\": {{\"pins\": [\"{uuid}\"]}}}}"),
            "{\"storages\": [\"a@pve!bb=12345678x\"]}".into(),
            format!("{{\"log\": {{\"level\": \"PVEAPIToken=felhom@pve!agent={uuid}\"}}}}"),
            format!("{{\"{uuid}\": 1}}"),
            "{\"pool\": \"felhom%40pve%21agent%3D12345678\"}".into(),
        ];
        for text in texts {
            let said = refusal(&text);
            assert!(!said.contains("12345678"), "{said}");
        }
    }

    #[test]
    fn what_nobody_sees_is_named_by_key_number_and_place() {
        let cases = [
            (
                "{\"node\": \"\u{feff}pve1\"}",
                "c.json: `node`: holds an invisible character: U+FEFF, as character 1",
            ),
            (
                "{\"url\": \"https://pve\u{ad}1\"}",
                "c.json: `url`: holds an invisible character: U+00AD, as character 12",
            ),
            (
                "{\"tls\": {\"pins\": [\"AB\", \"CD\u{200e}\"]}}",
                "c.json: `tls.pins[1]`: holds an invisible character: U+200E, as character 3",
            ),
            (
                "{\"no\u{200b}de\": 1}",
                "c.json: `no\u{fffd}de`: holds an invisible character: U+200B, as character 3",
            ),
            (
                "{\"pool\": \"a\\u202eb\"}",
                "c.json: `pool`: holds an invisible character: U+202E, as character 2",
            ),
            (
                "{\n\u{a0}\"url\": 1}",
                "c.json:2:1: not JSON: key must be a string; the line holds an invisible character: U+00A0, as character 1",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_an_overflow() {
        assert!(refusal(&"[".repeat(100_000)).contains("c.json:1:"));
    }
}
