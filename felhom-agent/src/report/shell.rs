//! Words of the commands that a person copies into a shell.

use std::path::Path;

/// A path as one word: quoted if the shell would read it otherwise.
///
/// ```
/// use felhom_agent::report::shell::word;
/// assert_eq!(word("/etc/felhom-agent/token".as_ref()), "/etc/felhom-agent/token");
/// assert_eq!(word("/srv/it's here".as_ref()), r"'/srv/it'\''s here'");
/// ```
pub fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.into_owned();
    }
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Opens a file by hand, since only its owner knows what was meant.
pub fn edit_line(path: &Path) -> String {
    format!("\"${{EDITOR:-nano}}\" {}", word(path))
}

/// The same, with what belongs there, as a comment that the shell passes over.
pub fn edit_key(path: &Path, key: &str) -> String {
    format!("{}  # {key}", edit_line(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_word_as_the_path() {
        let cases = [
            ("/a/b-c_d.e", "/a/b-c_d.e"),
            ("/jürgen", "/jürgen"),
            ("/a b", "'/a b'"),
            ("/a$(id)", "'/a$(id)'"),
            ("/a;b&c|d", "'/a;b&c|d'"),
            ("/a\nb", "'/a\nb'"),
            ("/'", r"'/'\'''"),
            ("~/x", "'~/x'"),
            ("-rf", "'./-rf'"),
            ("", "''"),
        ];
        for (path, expected) in cases {
            assert_eq!(word(Path::new(path)), expected);
        }
    }
}
