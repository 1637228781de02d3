//! Bindings on the wire and within.

use smartbox_api::problem::Code;
use smartbox_api::secret::BoundTo;
use smartbox_core::egress::Binding;

use crate::http::egress::add::rule;
use crate::http::trouble::Trouble;

/// As it is shown.
pub(super) fn shown(binding: Binding) -> BoundTo {
    let Binding { to, places, in_clear, .. } = binding;
    BoundTo {
        host: to.host.to_string(),
        ports: to.ports().to_vec(),
        methods: to.methods,
        paths: to.paths.iter().map(ToString::to_string).collect(),
        places,
        in_clear,
    }
}

/// As it is kept.
pub(super) fn read(secret: &str, to: BoundTo) -> Result<Binding, Trouble> {
    let rule = rule(&to.host, to.ports, to.methods, &to.paths)?;
    let (secret, in_clear) = (secret.to_owned(), to.in_clear);
    let binding = Binding { secret, to: rule, places: to.places, in_clear };
    let hint = "correct where the secret may go";
    binding.check().map_err(|e| Trouble::new(Code::BadRequest, e.to_string(), hint))?;
    Ok(binding)
}
