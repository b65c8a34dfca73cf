//! The strict parse of the file, which tells line and column of what is wrong.
//!
//! figment merges values but tells neither where in a file they stood nor that a key occurred twice.

use std::path::Path;

use serde_json::error::Category;

use super::environment::KEYS;
use super::object::Object;
use super::raw::RawConfig;
use super::{ConfigError, MalformedSnafu};

/// Checks the text of the file against what a configuration may hold.
pub(super) fn parse(path: &Path, text: &str) -> Result<RawConfig, ConfigError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let at = error.path().to_string();
        (at, error.into_inner())
    });
    let parsed = parsed.map(|Object(raw)| raw);
    let parsed = parsed.and_then(|raw| deserializer.end().map(|()| raw).map_err(|error| (".".into(), error)));
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
        return format!("not JSON: {said}");
    }
    match unknown_key(said) {
        Some(key) => format!("unknown key `{}`{}", shown(key), suggestion(at, key)),
        None if at == "." => said.into(),
        None => format!("`{at}`: {said}"),
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
        ];
        for text in texts {
            let said = refusal(&text);
            assert!(!said.contains("12345678"), "{said}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_an_overflow() {
        assert!(refusal(&"[".repeat(100_000)).contains("c.json:1:"));
    }
}
