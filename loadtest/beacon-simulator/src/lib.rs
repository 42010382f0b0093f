//! A beacon chain over a local execution chain.
