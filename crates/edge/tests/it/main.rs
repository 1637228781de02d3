//! The edge over real sockets, in front of a pretend box.

#[cfg(test)]
mod connection;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod door;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod siblings;
#[cfg(test)]
mod smuggle;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wake;
