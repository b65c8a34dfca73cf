//! What people read names everything that there is.

use crate::agent::Agent;

#[test]
fn every_check_and_every_exit_code_is_documented() {
    let page = include_str!("../../../docs/self-test.md");
    let listed = Agent::with_text("{}").run(&["selftest", "--list-checks"]).stdout;
    let ids = listed.lines().filter_map(|line| line.split(' ').next());
    let missing: Vec<&str> = ids.filter(|id| !page.contains(&format!("| `{id}` |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let codes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "70", "130, 143"];
    let missing: Vec<&str> =
        codes.into_iter().filter(|code| !page.contains(&format!("| {code} |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
