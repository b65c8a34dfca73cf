//! Runs the production runner and the root exceptions on the real things: processes, sudo, mounts, tools, files.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod contained;
#[cfg(test)]
mod drop_in;
#[cfg(test)]
mod given;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod running;
#[cfg(test)]
mod sudo;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod transcripts;
