//! Runs the production runner and the root exceptions on the real things: processes, sudo, mounts, tools, files.

#[cfg(test)]
mod contained;
#[cfg(test)]
mod given;
#[cfg(test)]
mod process;
#[cfg(test)]
mod running;
