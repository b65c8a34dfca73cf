//! Time of the processor, memory, and what is made of many rounds.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::Pid;

use crate::Res;

/// Keeps this process on one processor, if there are that many. Where it is not permitted, figures are noisier.
pub(crate) fn pin(processor: usize) {
    let mut set = CpuSet::new();
    let _pinned = set.set(processor).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
}

/// Microseconds.
fn cpu_of(who: UsageWho) -> f64 {
    let microseconds = |time: TimeVal| time.num_microseconds() as f64;
    getrusage(who)
        .map_or(f64::NAN, |usage| microseconds(usage.user_time()) + microseconds(usage.system_time()))
}

/// What this process cost so far, in user and system mode, in microseconds.
pub(crate) fn cpu() -> f64 {
    cpu_of(UsageWho::RUSAGE_SELF)
}

/// The largest resident memory of this process so far, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The largest resident memory of any child so far, in bytes.
pub(crate) fn peak_memory_of_children() -> u64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss().unsigned_abs() * 1024)
}

/// What a child cost: microseconds on the clock, and of the processor.
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

/// Runs a command to its end, without its output.
pub(crate) fn cost_of(command: &mut Command) -> Res<Cost> {
    let (cpu, start) = (cpu_of(UsageWho::RUSAGE_CHILDREN), Instant::now());
    let output = command.output()?;
    let wall = microseconds(start.elapsed());
    let cpu = cpu_of(UsageWho::RUSAGE_CHILDREN) - cpu;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return Err(format!("{command:?} ended with {}: {out}{err}", output.status).into());
    }
    Ok(Cost { wall, cpu })
}

pub(crate) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The value below which this part of all lies.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The ratios of two series, round by round: what one of them suffers from a noisy round, the other does too.
pub(crate) fn ratios(values: &[f64], base: &[f64]) -> Vec<f64> {
    values.iter().zip(base).map(|(value, base)| value / base).collect()
}

/// Runs every job in turn, each round beginning with another one; gives what each said, round by round.
pub(crate) fn interleave<T>(
    rounds: usize,
    jobs: &mut [T],
    mut run: impl FnMut(&mut T) -> Res<f64>,
) -> Res<Vec<Vec<f64>>> {
    let mut said = vec![Vec::new(); jobs.len()];
    for round in 0..rounds {
        for place in 0..jobs.len() {
            let at = (place + round) % jobs.len();
            said[at].push(run(&mut jobs[at])?);
        }
    }
    Ok(said)
}
