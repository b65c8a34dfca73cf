//! Long lists made of recorded rows, each row with ids and figures of its own.

use serde_json::{Value, json};

/// The lists that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BodyKind {
    /// `GET /cluster/resources`
    Resources,
    /// `GET /nodes/{node}/storage/{storage}/content`
    Content,
    /// `GET /nodes/{node}/tasks`
    Tasks,
}

impl BodyKind {
    pub(crate) const ALL: [Self; 3] = [Self::Resources, Self::Content, Self::Tasks];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Content => "content",
            Self::Tasks => "tasks",
        }
    }

    /// How many rows a large installation has.
    pub(crate) const fn rows(self) -> u64 {
        match self {
            Self::Resources => 5_000,
            Self::Content => 20_000,
            Self::Tasks => 10_000,
        }
    }

    /// An answer with so many rows.
    pub(crate) fn body(self, rows: u64) -> String {
        let (recording, fill): (&str, fn(&mut Value, u64)) = match self {
            Self::Resources => {
                (include_str!("../../../proxmox-types/fixtures/get-cluster-resources.root.json"), resource)
            }
            Self::Content => {
                (include_str!("../../../proxmox-types/fixtures/get-content-backup.full.json"), backup)
            }
            Self::Tasks => (include_str!("../../../proxmox-types/fixtures/get-tasks.json"), task),
        };
        let recorded: Vec<Value> = recorded(recording)
            .into_iter()
            .filter(|row| self != Self::Resources || row["type"] == "lxc")
            .collect();
        let shapes = recorded.iter().cycle().take(rows as usize);
        let rows = shapes.zip(0..).map(|(shape, number)| {
            let mut row = shape.clone();
            fill(&mut row, number);
            row
        });
        let rows: Vec<Value> = rows.collect();
        let total = rows.len();
        match self {
            Self::Tasks => json!({ "data": rows, "total": total }).to_string(),
            _ => json!({ "data": rows }).to_string(),
        }
    }
}

/// The rows of a recorded answer.
fn recorded(recording: &str) -> Vec<Value> {
    let mut body = serde_json::from_str::<Value>(recording)
        .ok()
        .and_then(|recording| serde_json::from_str::<Value>(recording["body"].as_str()?).ok())
        .unwrap_or_default();
    serde_json::from_value(body["data"].take()).unwrap_or_default()
}

fn resource(row: &mut Value, number: u64) {
    row["vmid"] = json!(100 + number);
    row["id"] = json!(format!("lxc/{}", 100 + number));
    row["name"] = json!(format!("customer{number}"));
    row["cpu"] = json!(0.012_345_678_9 + number as f64 * 1e-5);
    row["mem"] = json!(757_760 + number * 4096);
    row["netin"] = json!(123_456_789 + number * 977);
    row["netout"] = json!(23_456_789 + number * 877);
    row["pool"] = json!("felhom");
    row["tags"] = json!("felhom;customer");
}

fn backup(row: &mut Value, number: u64) {
    let vmid = 100 + number % 900;
    let (month, day) = (1 + number % 12, 1 + number % 28);
    let (hour, minute, second) = (number / 7 % 24, number / 3 % 60, number % 60);
    let time = format!("2026_{month:02}_{day:02}-{hour:02}_{minute:02}_{second:02}");
    row["volid"] = json!(format!("local:backup/vzdump-lxc-{vmid}-{time}.tar.zst"));
    row["vmid"] = json!(vmid);
    row["ctime"] = json!(1_795_499_355 + number * 61);
    row["size"] = json!(1_414_353_000 + number * 4096);
    // As the web interface writes them on every backup of a job.
    row["notes"] = json!(format!(
        "customer {number} on pve1, container {vmid}, nightly; kept by keep-daily=7,keep-weekly=4,keep-monthly=6; \
         golden 2026-11: application \"nextcloud\", 3 volumes"
    ));
}

fn task(row: &mut Value, number: u64) {
    let (pid, pstart, start) = (1968 + number, 132_807 + number, 1_795_499_374 + number);
    let vmid = 100 + number % 900;
    row["starttime"] = json!(start);
    row["upid"] = json!(format!("UPID:pve1:{pid:08X}:{pstart:08X}:{start:08X}:vzdump:{vmid}:ops@pve!full:"));
}
