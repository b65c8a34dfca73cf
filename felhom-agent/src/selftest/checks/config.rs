//! Checks of the configuration itself. They ask nobody.

use serde_json::json;

use crate::config::{Config, TOKEN_FILE, TokenSource, install_line};
use crate::report::finding::{Claim, Finding};
use crate::report::shell::edit_line;
use crate::report::terminal::counted;
use crate::selftest::{Check, Look, Setup};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new(
            "config.file",
            "the configuration is there, and nothing in it is unknown or mistyped",
            "the configuration file and the environment",
        ),
        Look::Setup(file),
    ),
    Check::new(
        Claim::new(
            "config.secret",
            "the token is there, and nobody else can read or replace it",
            "the token file",
        )
        .needs(&["config.file"]),
        Look::Setup(secret),
    ),
    Check::new(
        Claim::new("config.tls", "the pins and the CA file can be used", "the CA file")
            .needs(&["config.secret"]),
        Look::Setup(tls),
    ),
];

fn file(setup: &Setup) -> Finding {
    match &setup.config {
        Err(finding) if finding.instance.is_none() => (**finding).clone(),
        Ok(config) => Finding::ok(format!("{} is valid", config.path.display())),
        Err(_) => Finding::ok("is valid"),
    }
}

fn secret(setup: &Setup) -> Finding {
    match &setup.config {
        Ok(config) => accepted(config),
        Err(finding) if finding.instance.is_some() => (**finding).clone(),
        Err(_) => Finding::skip("there is no configuration"),
    }
}

fn accepted(config: &Config) -> Finding {
    let data = json!({ "token": config.token.id().to_string(), "source": config.token_source.to_string() });
    let summary = format!("{} from {}", config.token.id(), config.token_source);
    match config.token_source {
        TokenSource::Environment => Finding::warn(summary)
            .because("every process of the same user can read it in /proc")
            .fix(install_line(TOKEN_FILE.as_ref())),
        _ => Finding::ok(summary),
    }
    .with(data)
}

fn tls(setup: &Setup) -> Finding {
    let Ok(config) = &setup.config else { return Finding::skip("there is no configuration") };
    match &setup.connection {
        Some(Err(finding)) => (**finding).clone(),
        _ if config.tls.is_insecure => {
            Finding::warn("insecure: any server is accepted, and is sent the token")
                .because("whoever answers on this port gets a token that can destroy every container")
                .fix(edit_line(&config.path))
                .look("pvenode cert info")
        }
        Some(Ok(connection)) => {
            let verifier = connection.wire.as_ref().map(|wire| &wire.verifier);
            let skipped = verifier.map_or(&[][..], |verifier| verifier.skipped());
            let skipped: Vec<String> = skipped.iter().take(3).map(|why| format!("not used: {why}")).collect();
            let finding = Finding::ok(policy(config));
            if skipped.is_empty() { finding } else { finding.because(skipped.join("\n")) }
        }
        None => Finding::ok(policy(config)),
    }
}

fn policy(config: &Config) -> String {
    let tls = &config.tls;
    let count = |number: usize, what| (number > 0).then(|| counted(number, what));
    let ca = tls.ca_file.as_ref().map(|path| format!("CA {}", path.display()));
    let parts = [count(tls.pins.len(), "pin"), count(tls.spki_pins.len(), "key pin"), ca];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
