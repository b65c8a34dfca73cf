//! Tasks that end by themselves, told by their own status and by the list of tasks. None is a backup: after the good end
//! of one, the client reads its log as well.

use std::fmt::Write;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// How much later the end of a task shows in the list than in its status: the median on a running server.
const LIST_LAG: Duration = Duration::from_millis(20);

/// Tasks that had ended before: what a node has that makes a backup of some containers every night.
const OLD: u64 = 500;

struct Task {
    upid: String,
    number: u64,
    /// In seconds since 1970.
    start: u64,
    /// Since the server's start.
    end: Duration,
}

/// All tasks of the node, the oldest first.
pub(crate) struct Tasks {
    epoch: u64,
    tasks: Vec<Task>,
}

impl Tasks {
    pub(crate) fn new(epoch: u64) -> Self {
        let mut tasks = Self { epoch, tasks: Vec::new() };
        for number in 0..OLD {
            tasks.add(epoch - 60 * (OLD + 10 - number), Duration::ZERO);
        }
        tasks
    }

    /// Starts a task that lasts so long, and gives its UPID.
    pub(crate) fn start(&mut self, now: Duration, lasts: Duration) -> String {
        self.add(self.epoch + now.as_secs(), now + lasts)
    }

    fn add(&mut self, start: u64, end: Duration) -> String {
        let number = self.tasks.len() as u64;
        let (pid, pstart, vmid) = (2000 + number, 140_000 + number, 100 + number % 1000);
        let upid =
            format!("UPID:pve1:{pid:08X}:{pstart:08X}:{start:08X}:vzsnapshot:{vmid}:felhom@pve!agent:");
        self.tasks.push(Task { upid: upid.clone(), number, start, end });
        upid
    }

    /// The status of one task, as `tasks/UPID/status` answers it.
    pub(crate) fn status(&self, upid: &str, now: Duration) -> Option<String> {
        let task = self.tasks.iter().rev().find(|task| task.upid == upid)?;
        let state = if now >= task.end { r#""stopped","exitstatus":"OK""# } else { r#""running""# };
        let Task { number, start, .. } = task;
        Some(format!(
            r#"{{"data":{{"status":{state},"pstart":{},"starttime":{start},"upid":"{upid}","tokenid":"agent","pid":{},"user":"felhom@pve","node":"pve1","type":"vzsnapshot","id":"{}"}}}}"#,
            140_000 + number,
            2000 + number,
            100 + number % 1000,
        ))
    }

    /// The list of tasks, the youngest first, as `/nodes/{node}/tasks` answers it.
    pub(crate) fn list(&self, query: &str, now: Duration) -> String {
        let wanted = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| percent_decode_str(value).decode_utf8_lossy())
        };
        let number =
            |name: &str, default: u64| wanted(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let source = wanted("source").unwrap_or("archive".into());
        let (since, until) = (number("since", 0), number("until", u64::MAX));
        let matching = self.tasks.iter().rev().filter(|task| {
            let is_running = now < task.end + LIST_LAG;
            let is_wanted = source == "all" || (source == "active") == is_running;
            is_wanted && (since..=until).contains(&task.start)
        });
        let (mut rows, mut total) = (String::new(), 0);
        let (first, limit) = (number("start", 0), number("limit", 50));
        for task in matching {
            if (first..first.saturating_add(limit)).contains(&total) {
                rows.push_str(if rows.is_empty() { "" } else { "," });
                self.row(&mut rows, task, now);
            }
            total += 1;
        }
        format!(r#"{{"data":[{rows}],"total":{total}}}"#)
    }

    fn row(&self, rows: &mut String, task: &Task, now: Duration) {
        let Task { upid, number, start, end } = task;
        let ended = self.epoch + end.as_secs();
        let state = if now >= *end + LIST_LAG {
            format!(r#""endtime":{ended},"status":"OK","user":"felhom@pve","tokenid":"agent""#)
        } else {
            r#""status":"RUNNING","user":"felhom@pve!agent","saved":"0""#.into()
        };
        // Writing to a string cannot fail.
        let _written = write!(
            rows,
            r#"{{{state},"node":"pve1","starttime":{start},"type":"vzsnapshot","upid":"{upid}","pstart":{},"pid":{},"id":"{}"}}"#,
            140_000 + number,
            2000 + number,
            100 + number % 1000,
        );
    }
}
