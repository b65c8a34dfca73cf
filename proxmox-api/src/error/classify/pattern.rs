//! Fits sentences into patterns.

use alloc::vec::Vec;

/// What may stand around a name.
const QUOTES: [char; 3] = ['\'', '"', '`'];

/// The texts at the placeholders of a pattern, if the whole text fits: `{}` is any text, as short as possible, and
/// `{name}` a name, in quotes or without.
pub(super) fn captures<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut texts = Vec::new();
    fits(pattern, text, &mut texts).then_some(texts)
}

fn fits<'t>(pattern: &str, text: &'t str, texts: &mut Vec<&'t str>) -> bool {
    let (literal, rest) = pattern.split_at(pattern.find('{').unwrap_or(pattern.len()));
    let Some(text) = text.strip_prefix(literal) else { return false };
    if let Some(rest) = rest.strip_prefix("{name}") {
        let Some((name, tail)) = name(text) else { return false };
        texts.push(name);
        return fits(rest, tail, texts);
    }
    match rest.strip_prefix("{}") {
        None => text.is_empty(),
        Some("") => {
            texts.push(text);
            true
        }
        Some(rest) => any(rest, text, texts),
    }
}

/// The shortest text after which the rest of the pattern fits.
fn any<'t>(rest: &str, text: &'t str, texts: &mut Vec<&'t str>) -> bool {
    let kept = texts.len();
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| {
        let (captured, tail) = text.split_at_checked(at).unwrap_or_default();
        texts.truncate(kept);
        texts.push(captured);
        fits(rest, tail, texts)
    })
}

/// A name at the start of a text, without its quotes, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(quote) = QUOTES.into_iter().find(|quote| text.starts_with(*quote)) {
        return text.strip_prefix(quote)?.split_once(quote).filter(|(name, _)| !name.is_empty());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let word = text.get(..end)?.trim_end_matches(['.', ',', ';', ':', ')']);
    (!word.is_empty()).then(|| (word, text.get(word.len()..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts_and_names_lose_their_quotes() {
        let cases: [(&str, &str, Option<&[&str]>); 11] = [
            ("{} {name} exists on '{}'", "CT 100 exists on 'pve1'", Some(&["CT", "100", "pve1"])),
            ("CT is locked ({})", "CT is locked (backup) and more", None),
            ("{} not running", "VM 101 not running", Some(&["VM 101"])),
            ("storage {name} is off", "storage 'a b' is off", Some(&["a b"])),
            ("storage {name} is off", "storage \"nas\" is off", Some(&["nas"])),
            ("storage {name} is off", "storage `nas` is off", Some(&["nas"])),
            ("storage {name} is off", "storage nas is off", Some(&["nas"])),
            ("storage {name} is off", "storage '' is off", None),
            ("storage {name} is off", "storage 'nas is off", None),
            ("{name}: {}", "pbs: äöü: x", Some(&["pbs", "äöü: x"])),
            ("{} no {} no", "a no no no", Some(&["a", "no"])),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(captures(pattern, text).as_deref(), wanted, "{pattern}: {text}");
        }
    }
}
