//! Bindings on the wire and within.

use smartbox_api::problem::Code;
use smartbox_api::secret::BoundTo;
use smartbox_core::egress::{Binding, PathPattern, Pattern, Rule};

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
    let bad = |why: String, hint: &'static str| Trouble::new(Code::BadRequest, why, hint);
    let hint = "write api.example.com or *.example.com";
    let host = Pattern::parse(&to.host).map_err(|e| bad(e.to_string(), hint))?;
    let path = |path: &String| {
        PathPattern::parse(path).map_err(|e| bad(e.to_string(), "write a path like /v1/**"))
    };
    let paths = to.paths.iter().map(path).collect::<Result<_, _>>()?;
    let rule = Rule { host, ports: to.ports, methods: to.methods, paths };
    let (secret, in_clear) = (secret.to_owned(), to.in_clear);
    let binding = Binding { secret, to: rule, places: to.places, in_clear };
    binding.check().map_err(|e| bad(e.to_string(), "correct where the secret may go"))?;
    Ok(binding)
}
