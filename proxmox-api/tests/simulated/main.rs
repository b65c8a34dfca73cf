//! The client against the simulated node, and the simulated node against the recordings.

#[cfg(test)]
mod composed;
#[cfg(test)]
mod doubted;
#[cfg(test)]
mod enduring;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod together;
#[cfg(test)]
mod waiting;
