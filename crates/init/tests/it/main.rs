//! Init, run as a plain child with descriptors as the platform prepares them, driven over the link.

#[cfg(test)]
mod cgroup;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod files;
#[cfg(test)]
mod house;
#[cfg(test)]
mod life;
#[cfg(test)]
mod names;
#[cfg(test)]
mod pass;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod terminal;
