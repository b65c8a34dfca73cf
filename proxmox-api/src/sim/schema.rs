//! PVE's own schema: which routes there are, and what it refuses of a request before any code of a route runs.
//!
//! The node knows nothing of the endpoint table, so a mistake in a row of it is refused here as PVE refuses it.
//! Source: `apidoc.js` of 9.2.11, of which `schema.json` holds the facts; pve-common `PVE/JSONSchema.pm`, `check_prop`
//! and `check_object`.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proxmox_types::{NodeName, PoolId, StorageId, VolumeId, property};
use serde_json::{Map, Value};

use super::answer::{HttpAnswer, Refusal, Said, said};
use super::std::sync::OnceLock;

/// The parameters of a request by name.
pub(super) type Parameters = BTreeMap<String, String>;

/// What the schema says of the route `METHOD /path`; null if there is no such route.
pub(super) fn of(route: &str) -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let text = include_str!("../../schema.json");
    let schema = SCHEMA.get_or_init(|| serde_json::from_str(text).unwrap_or_default());
    schema.get(route).unwrap_or(&Value::Null)
}

/// The variables of a route's path, if the decoded segments of a path are its.
pub(super) fn variables(route: &str, method: &str, segments: &[String]) -> Option<Parameters> {
    let template = route.strip_prefix(method)?.strip_prefix(" /")?;
    let names: Vec<&str> = template.split('/').collect();
    let mut found = Parameters::new();
    for (name, value) in names.iter().zip(segments) {
        match name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(variable) => drop(found.insert(variable.into(), value.clone())),
            None if name == value => {}
            None => return None,
        }
    }
    (names.len() == segments.len()).then_some(found)
}

/// Refuses what the schema does not take: parameters that it does not know or that are missing, and wrong values.
pub(super) fn check(entry: &Value, variables: &Parameters, sent: &Parameters) -> Result<(), Refusal> {
    let nothing = Map::new();
    let known = entry.get("parameters").and_then(Value::as_object).unwrap_or(&nothing);
    let mut errors = Parameters::new();
    for (name, value) in variables.iter().chain(sent) {
        let property = property_of(known, name);
        let complaint = match property {
            Some(property) => complaint(property, value),
            None => Some(said!(
                "property is not defined in schema and the schema does not allow additional properties"
            )),
        };
        errors.extend(complaint.map(|complaint| (name.clone(), complaint.to_string())));
        let partner = property.and_then(|property| property.get("requires")?.as_str());
        if let Some(partner) = partner.filter(|partner| !sent.contains_key(*partner)) {
            // Not recorded: pve-common PVE/JSONSchema.pm, check_object.
            let text = said!("missing property - '{name}' requires this property");
            errors.insert(partner.into(), text.to_string());
        }
    }
    let is_sent = |name: &String| variables.contains_key(name) || sent.contains_key(name);
    let required = known.iter().filter(|(_, property)| property.get("optional").is_none());
    for (name, _) in required.filter(|(name, _)| !is_sent(name)) {
        errors.insert(name.clone(), said!("property is missing and it is not optional").to_string());
    }
    if errors.is_empty() { Ok(()) } else { Err(Refusal::parameters(errors)) }
}

/// How PVE refuses parameters, those of the path among them, that an entry of its schema does not take.
pub fn refusal(entry: &Value, sent: &BTreeMap<String, String>) -> Option<HttpAnswer> {
    check(entry, &Parameters::new(), sent).err().map(|refusal| refusal.into_answer(true))
}

/// A parameter by its name; `net[n]` stands for `net0`, `net1`, ...
fn property_of<'s>(known: &'s Map<String, Value>, name: &str) -> Option<&'s Value> {
    let indexed = || {
        let option = name.trim_end_matches(|c: char| c.is_ascii_digit());
        property::index_of(name, option).and_then(|_| known.get(&alloc::format!("{option}[n]")))
    };
    known.get(name).or_else(indexed)
}

/// What PVE says of a value that a property does not take, in the order of `check_prop`.
fn complaint(property: &Value, value: &str) -> Option<Said> {
    let kind = property.get("type").and_then(Value::as_str).unwrap_or("string");
    if !is_of_type(kind, value) {
        return Some(said!("type check ('{kind}') failed - got '{value}'"));
    }
    let format = property.get("format").and_then(|format| format_error(format, value));
    if let Some(error) = format {
        return Some(error);
    }
    let fits = |pattern: &str| matches(pattern, value);
    if property.get("pattern").and_then(Value::as_str).is_some_and(|pattern| !fits(pattern)) {
        // Not recorded: pve-common PVE/JSONSchema.pm, check_prop.
        return Some(said!("value does not match the regex pattern"));
    }
    let length = value.chars().count();
    let bound = |name: &str| property.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    match (bound("maxLength"), bound("minLength")) {
        (Some(most), _) if length > most => {
            return Some(said!("value may only be {most} characters long"));
        }
        (_, Some(least)) if length < least => {
            // Not recorded: pve-common PVE/JSONSchema.pm, check_prop.
            return Some(said!("value must be at least {least} characters long"));
        }
        _ => {}
    }
    out_of_range(property, value).or_else(|| not_listed(property, value))
}

fn is_of_type(kind: &str, value: &str) -> bool {
    match kind {
        "boolean" => matches!(value, "0" | "1"),
        "integer" => {
            let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        "number" => value.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    }
}

fn out_of_range(property: &Value, value: &str) -> Option<Said> {
    let number: f64 = value.parse().ok()?;
    // Some bounds are written as text.
    let bound = |name: &str| {
        let bound = property.get(name)?;
        bound.as_f64().or_else(|| bound.as_str()?.parse().ok())
    };
    match (bound("maximum"), bound("minimum")) {
        (Some(most), _) if number > most => {
            // Not recorded: pve-common PVE/JSONSchema.pm, check_prop.
            Some(said!("value must have a maximum value of {most}"))
        }
        (_, Some(least)) if number < least => Some(said!("value must have a minimum value of {least}")),
        _ => None,
    }
}

fn not_listed(property: &Value, value: &str) -> Option<Said> {
    let words: Vec<&str> = property.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let listed = words.join(", ");
    (!words.contains(&value))
        .then(|| said!("value '{value}' does not have a value in the enumeration '{listed}'"))
}

/// What is wrong with a value of a format. A list of keys is the format of a property string.
fn format_error(format: &Value, value: &str) -> Option<Said> {
    if let Some(keys) = format.as_array() {
        return (!has_keys(value, keys)).then(format_is_bad);
    }
    let name = format.as_str()?;
    match name.strip_suffix("-list") {
        Some(name) => {
            let items = value.split([',', ';', ' ', '\0']).filter(|item| !item.is_empty());
            items.into_iter().find_map(|item| bad_item(name, item))
        }
        None => bad_item(name, value),
    }
}

fn has_keys(value: &str, keys: &[Value]) -> bool {
    value.split(',').enumerate().all(|(at, part)| match part.split_once('=') {
        Some((key, value)) => keys.iter().any(|known| known == key) && !value.is_empty(),
        None => at == 0 && !part.is_empty(),
    })
}

fn bad_item(format: &str, item: &str) -> Option<Said> {
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        text.len() >= 2
            && bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let holds = match format {
        "pve-vmid" => item.parse().is_ok_and(|vmid: u32| (100..=999_999_999).contains(&vmid)),
        "pve-configid" => is_name(item),
        "pve-tag" => is_tag(item),
        "pve-storage-content" => {
            ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"].contains(&item)
        }
        "dns-name" => is_dns_name(item),
        "pve-node" => parses::<NodeName>(item),
        "pve-storage-id" => parses::<StorageId>(item),
        "pve-poolid" => parses::<PoolId>(item),
        "pve-volume-id" => parses::<VolumeId>(item),
        _ => true,
    };
    (!holds).then(|| match format {
        "pve-vmid" => said!("invalid format - value does not look like a valid VM ID\n"),
        "pve-configid" => said!("invalid format - invalid configuration ID '{item}'\n"),
        "pve-tag" => said!("invalid format - invalid characters in tag\n"),
        "pve-storage-content" => said!("invalid format - invalid content type '{item}'\n"),
        "dns-name" => said!("invalid format - value does not look like a valid DNS name\n"),
        _ => format_is_bad(),
    })
}

fn format_is_bad() -> Said {
    said!("invalid format - format error\n")
}

/// `[a-z0-9_][a-z0-9_\-+.]*`, any case.
fn is_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte))
}

fn parses<T: core::str::FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Labels of letters, digits and inner hyphens, joined by dots.
fn is_dns_name(text: &str) -> bool {
    text.split('.').all(|label| {
        let is_edge = label.starts_with('-') || label.ends_with('-');
        let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !is_edge && is_plain && (1..=63).contains(&label.len())
    })
}

/// Whether a value matches one of the patterns that calls send values to; the rest are taken for matched.
fn matches(pattern: &str, value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match pattern {
        r"\d+[MG]?" => digits(value.strip_suffix(['M', 'G']).unwrap_or(value)),
        r"\+?\d+(\.\d+)?[KMGT]?" => {
            let number = value.strip_prefix('+').unwrap_or(value);
            let number = number.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(number);
            number
                .split_once('.')
                .map_or_else(|| digits(number), |(whole, part)| digits(whole) && digits(part))
        }
        r"https?://.*" => value.starts_with("http://") || value.starts_with("https://"),
        r"^/dev/[a-zA-Z0-9\/]+$" => value.strip_prefix("/dev/").is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        }),
        _ => true,
    }
}
