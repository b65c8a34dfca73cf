//! Checks every shape against what a running server answered (`fixtures/`).

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod leaves;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod table;
