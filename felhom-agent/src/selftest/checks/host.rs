//! Checks of the host itself: its programs, sensors, disks and mounts.

use std::fs;
use std::os::unix::fs::MetadataExt;

use proxmox_privileged::sensors::{FeatureKind, sensors};
use proxmox_privileged::smart::smart;
use proxmox_privileged::{Program, programs};
use serde_json::json;

use crate::config::Config;
use crate::host::device::Devices;
use crate::host::{health, usb};
use crate::report::chain;
use crate::report::finding::{Claim, Finding, Status};
use crate::selftest::{Check, Look, at_once};
use crate::wiring;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new(
            "host.binaries",
            "the programs that run as root are there, and only root can change them",
            "stat",
        )
        .needs(&["config.file"]),
        Look::Host(|_| at_once(binaries())),
    ),
    Check::new(
        Claim::new("host.mountns", "the agent mounts where PVE looks", "/proc").needs(&["config.file"]),
        Look::Host(|_| at_once(vec![mount_namespace()])),
    ),
    Check::new(
        Claim::new("host.sensors", "the host is not too hot", "sensors").needs(&["config.file"]),
        Look::Host(|config| Box::pin(temperatures(config))),
    ),
    Check::new(
        Claim::new("host.smart", "no disk expects to fail", "smartctl").needs(&["sudo.ready"]),
        Look::Host(|config| Box::pin(disks(config))),
    ),
    Check::new(
        Claim::new(
            "host.usb.*",
            "every USB disk of the configuration is mounted, also after a reboot",
            "findmnt",
        )
        .needs(&["config.file"]),
        Look::Host(|config| Box::pin(usb_disks(config))),
    ),
];

fn binaries() -> Vec<Finding> {
    let found: Vec<Finding> = programs().into_iter().filter_map(against).collect();
    if found.is_empty() {
        return vec![Finding::ok(format!(
            "{} programs are there, and only root can change them",
            programs().len()
        ))];
    }
    found
}

fn against(program: Program) -> Option<Finding> {
    let path = program.path();
    match fs::metadata(path) {
        Err(_) => {
            let fix = format!("apt install {}", program.package());
            Some(Finding::warn(format!("{path} is missing")).about(path).fix(fix))
        }
        Ok(file) if file.uid() != 0 || file.mode() & 0o022 != 0 => {
            let fix = format!("chown root:root {path} && chmod go-w {path}");
            let finding = Finding::fail(format!("somebody but root can change {path}"), fix);
            Some(finding.about(path).because("the agent runs it as root"))
        }
        Ok(_) => None,
    }
}

async fn temperatures(config: &Config) -> Vec<Finding> {
    let chips = match sensors(&*wiring::runner(config.privileged.mode)).await {
        Ok(chips) => chips,
        Err(error) => return vec![Finding::skip(chain(&error))],
    };
    let (mut bad, mut temperatures) = (Vec::new(), Vec::new());
    for feature in chips.iter().flat_map(|chip| &chip.features) {
        let (status, why) = health::sensor(feature);
        if matches!(status, Status::Warn | Status::Fail) {
            bad.push(Finding::warn(format!("{}: {why}", feature.label)).look("felhom-agent sensors"));
        }
        let is_judged = status != Status::Skip && feature.kind == FeatureKind::Temperature;
        temperatures.extend(feature.value().filter(|_| is_judged));
    }
    let hottest = temperatures.into_iter().reduce(f64::max);
    match (bad.is_empty(), hottest) {
        (false, _) => bad,
        (true, Some(hottest)) => vec![Finding::ok(format!("{hottest:.0} °C at the hottest"))],
        (true, None) if is_virtual() => vec![Finding::skip("a virtual machine has no sensors")],
        (true, None) => vec![Finding::warn("no temperature can be read").fix("sensors-detect --auto")],
    }
}

/// Whether the processor says that it is not a real one.
fn is_virtual() -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().any(|line| line.starts_with("flags") && line.split(' ').any(|flag| flag == "hypervisor"))
}

async fn disks(config: &Config) -> Vec<Finding> {
    let runner = wiring::runner(config.privileged.mode);
    let mut findings = Vec::new();
    for disk in Devices::of_host().disks() {
        let (status, why) = health::disk(&smart(&*runner, &disk).await);
        let finding = Finding::new(status, format!("{disk}: {why}")).about(disk.to_string());
        findings.push(match status {
            Status::Ok | Status::Skip => finding,
            Status::Warn | Status::Fail => finding.look(format!("felhom-agent disks {disk} -o json")),
        });
    }
    if findings.is_empty() { vec![Finding::skip("there is no disk")] } else { findings }
}

async fn usb_disks(config: &Config) -> Vec<Finding> {
    let (runner, devices) = (wiring::runner(config.privileged.mode), Devices::of_host());
    let fstab = fs::read("/etc/fstab").unwrap_or_default();
    let mut findings = Vec::new();
    for disk in &config.usb {
        let finding = match usb::examine(&*runner, &devices, &fstab, disk).await {
            Ok(state) => state.finding,
            Err(error) => Finding::skip(chain(&error)),
        };
        findings.push(finding.about(disk.name.clone()));
    }
    if findings.is_empty() { vec![Finding::skip("the configuration names no USB disk")] } else { findings }
}

fn mount_namespace() -> Finding {
    let (own, first) = (root_mount("self"), root_mount("1"));
    match (own, first) {
            (Some(own), Some(first)) if own == first => Finding::ok("the agent sees the mounts that PVE sees"),
            (Some(_), Some(_)) => Finding::fail(
                "the agent has mounts of its own",
                "systemctl edit felhom-agent && systemctl restart felhom-agent",
            )
            .look("systemctl cat felhom-agent | grep -nE 'Private|Protect|ReadOnly|ReadWrite|Inaccessible|Bind|Root'")
            .because("what it mounts is not where PVE looks, and PVE would fill the disk below instead"),
            _ => Finding::skip("the mounts of the host cannot be looked at"),
        }
        .with(json!({ "own": own, "first": first }))
}

/// The number of the mount at `/`, which every mount namespace has another of.
///
/// Source: `proc_pid_mountinfo(5)`, field 1.
fn root_mount(process: &str) -> Option<u64> {
    let bytes = fs::read(format!("/proc/{process}/mountinfo")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let is_root = |line: &&str| line.split(' ').nth(4) == Some("/");
    text.lines().rfind(is_root)?.split(' ').next()?.parse().ok()
}
