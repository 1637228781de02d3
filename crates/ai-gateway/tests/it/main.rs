//! The AI gateway against a provider of ours that behaves as the vendors document it, and worse.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod pass;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
