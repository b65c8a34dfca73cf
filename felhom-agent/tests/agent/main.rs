//! Runs the real binary against the served simulated node.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cleanup;
#[cfg(test)]
mod exercise;
#[cfg(test)]
mod guarded;
#[cfg(test)]
mod life;
#[cfg(test)]
mod node;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod readonly;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod texts;
