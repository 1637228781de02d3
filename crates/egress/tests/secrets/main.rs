//! The engine of placeholders against hostile input, and against a simple reference.

#[cfg(test)]
mod cut;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod scrub;
#[cfg(test)]
mod swap;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod watch;
