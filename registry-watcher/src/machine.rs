//! The watcher's decisions, as a pure function.
//!
//! [`step`] takes the state, an event and the time, and returns the next state and the commands to perform. It knows
//! no sockets, files, clocks or randomness (`tests/walls.rs` holds it to that), so the same function runs in the
//! driver, in tests and under a model checker.
//!
//! An artifact's life here:
//!
//! ```text
//! target ─► Resolve ─► Fetch ─► Compile ─► Install (soaking) ─► Keep (good)
//!              │          │         │            │
//!              └── retry ─┘         └ quarantine ┴── faults: quarantine, back to the last good, else allow-all
//! ```
//!
//! Asymmetric by design: kill, rollback and pause count at the newest head, and lifting them only at the adoptable
//! one; an artifact is adopted only from the adoptable one.

mod moves;
mod state;
mod step;

pub use state::{
    Ages, Command, Durable, Event, Failure, HeadAt, Millis, Pursuit, Quarantined, Running,
    Settings, Stage, State, View, Why,
};
pub use step::step;

#[cfg(test)]
mod tests;
