//! What people read names everything that there is.

use proxmox_api::grant::ROLES;

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

#[test]
fn the_recipe_of_the_readme_makes_the_roles_that_are_needed() {
    let page = include_str!("../../../README.md");
    for role in ROLES {
        let line = format!("pveum role add {} --privs \"{}\"\n", role.name, role.privileges.join(","));
        assert!(page.contains(&line), "{line}");
    }
    // Inside double quotes an interactive shell takes `!` for a word of its history.
    let is_history = |line: &&str| line.split('"').skip(1).step_by(2).any(|quoted| quoted.contains('!'));
    let commands = page.lines().filter(|line| line.contains("pveum ") || line.starts_with("for "));
    assert_eq!(commands.filter(is_history).collect::<Vec<_>>(), Vec::<&str>::new());
}
