//! Runs the real binary against the served simulated node.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod cleanup;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod exercise;
#[cfg(test)]
mod life;
#[cfg(test)]
mod node;
#[cfg(test)]
mod readonly;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod texts;
