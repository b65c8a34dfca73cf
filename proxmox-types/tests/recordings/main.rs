//! Checks every shape against what a running server answered (`fixtures/`).

#[cfg(test)]
mod configs;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod leaves;
#[cfg(test)]
mod recording;
