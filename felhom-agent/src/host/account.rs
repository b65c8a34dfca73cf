//! The account that runs the agent.

/// Its name; nothing if the host has no account of that number.
pub fn name() -> Option<String> {
    let listed = std::fs::read("/etc/passwd").unwrap_or_default();
    name_in(&String::from_utf8_lossy(&listed), rustix::process::geteuid().as_raw())
}

fn name_in(listed: &str, uid: u32) -> Option<String> {
    let is_its = |line: &&str| line.split(':').nth(2).and_then(|number| number.parse().ok()) == Some(uid);
    listed.lines().find(is_its).and_then(|line| line.split(':').next()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let listed =
            "root:x:0:0:root:/root:/bin/bash\nfelhom:x:990:990::/var/lib/felhom-agent:/usr/sbin/nologin\n";
        let names = [0, 990, 99].map(|uid| name_in(listed, uid));
        assert_eq!(names, [Some("root".into()), Some("felhom".into()), None]);
    }
}
