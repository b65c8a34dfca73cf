//! The strict parse of the file, which tells line and column of what is wrong.

use std::path::Path;

use proxmox_types::{Stray, clean, first_invisible, is_invisible, redact, redact_strictly};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::file::{invalid, unusable};
use super::settings::{KEYS, Settings};
use crate::report::finding::Found;
use crate::report::shell::edit_line;

/// Longest problem that is told, in bytes: a value may be as large as the file.
pub(super) const LONGEST: usize = 1024;

/// Checks the text of the file against what a configuration may hold, and returns both.
///
/// What it says of a text that somebody pasted into the wrong place never shows a token.
pub(super) fn parse(path: &Path, text: &str) -> Found<(Value, Settings)> {
    let value: Option<Value> = serde_json::from_str(text).ok();
    if let Some((key, stray)) = value.as_ref().and_then(|value| invisible("", value)) {
        let key = redact_strictly(&key).replace(is_invisible, "\u{fffd}");
        return Err(invalid(path, &key, &format!("holds an invisible character: {stray}")));
    }
    let read = strictly::<Objects>(text).and_then(|_| strictly(text));
    let settings = read.map_err(|(at, error)| {
        // serde_json tells of what is before the first character by a 0.
        let (line, column) = (error.line(), error.column().max(1));
        let problem = problem(text, &at, &error);
        unusable(format!("{}:{line}:{column}: {problem}", path.display()), edit_line(path))
    })?;
    Ok((value.unwrap_or_default(), settings))
}

/// What the text holds; else the key that is wrong, and why.
fn strictly<T: DeserializeOwned>(text: &str) -> Result<T, (String, serde_json::Error)> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| (error.path().to_string(), error.into_inner()))?;
    deserializer.end().map_err(|error| (".".into(), error))?;
    Ok(read)
}

/// What must be an object: where serde expects a struct, it would also take a list of its values in order.
#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
#[expect(dead_code, reason = "only what cannot be read of it counts")]
struct Objects {
    tls: Object,
    privileged: Object,
    usb: Vec<Object>,
    selftest: Object,
    log: Object,
    #[serde(flatten)]
    keys: (),
}

/// Any object.
#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
#[expect(dead_code, reason = "only what cannot be read of it counts")]
struct Object {
    #[serde(flatten)]
    keys: (),
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
    meant(names, key, 3).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The known name that is nearest to another, if it is at most so many letters away.
pub(super) fn meant<N: AsRef<str> + Ord>(
    known: impl Iterator<Item = N>,
    name: &str,
    most: usize,
) -> Option<N> {
    let scored = known.map(|known| (strsim::damerau_levenshtein(known.as_ref(), name), known));
    scored.min().filter(|(distance, _)| *distance <= most).map(|(_, known)| known)
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
    fn a_secret_in_the_wrong_place_is_not_printed() {
        let uuid = "12345678-1234-1234-1234-123456789abc";
        for value in ["12345678", "[UUID]", "{ UUID: 1 }"] {
            let text = format!("{{ \"token\": {value} }}").replace("UUID", &format!("\"{uuid}\""));
            assert!(!refusal(&text).contains("12345678"), "{text}");
        }
        assert!(!refusal(&format!("{{ \"{uuid}\": 1 }}")).contains("12345678"));
    }

    #[test]
    fn what_nobody_sees_is_named_by_key_number_and_place() {
        let unseen =
            |key: &str, stray: &str| format!("c.json: `{key}`: holds an invisible character: {stray}");
        let cases = [
            ("{\"node\": \"\u{feff}pve1\"}", unseen("node", "U+FEFF, as character 1")),
            ("{\"url\": \"https://pve\u{ad}1\"}", unseen("url", "U+00AD, as character 12")),
            (
                "{\"tls\": {\"pins\": [\"AB\", \"CD\u{200e}\"]}}",
                unseen("tls.pins[1]", "U+200E, as character 3"),
            ),
            ("{\"no\u{200b}de\": 1}", unseen("no\u{fffd}de", "U+200B, as character 3")),
            ("{\"pool\": \"a\\u202eb\"}", unseen("pool", "U+202E, as character 2")),
            (
                "{\n\u{a0}\"url\": 1}",
                "c.json:2:1: not JSON: key must be a string; the line holds an invisible character: U+00A0, as \
                 character 1"
                    .into(),
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
