//! The binary of the agent.

fn main() {}
