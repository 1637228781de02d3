//! What a child becomes, laid out before the fork: between fork and exec nothing may be allocated.

use std::collections::BTreeMap;
use std::ffi::CString;

/// The order cannot be run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadOrder(pub(crate) &'static str);

/// Arguments, environment and directory as C strings, and where the program may lie.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) programs: Vec<CString>,
    pub(crate) argv: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) cwd: CString,
}

impl Image {
    /// Lays an order out. A program without a slash is searched in the `PATH` of `env`.
    pub(crate) fn new(
        argv: &[String],
        env: &BTreeMap<String, String>,
        cwd: &str,
    ) -> Result<Self, BadOrder> {
        let program = argv.first().filter(|program| !program.is_empty());
        let program = program.ok_or(BadOrder("there is no program to run"))?;
        let nul = |_| BadOrder("an argument, variable or directory holds a NUL byte");
        let strings = argv.iter().map(|arg| CString::new(arg.as_str()));
        let argv = strings.collect::<Result<_, _>>().map_err(nul)?;
        if env.keys().any(|key| key.is_empty() || key.contains('=')) {
            return Err(BadOrder("a variable's name is empty or holds an equals sign"));
        }
        let pairs = env.iter().map(|(key, value)| CString::new(format!("{key}={value}")));
        let pairs = pairs.collect::<Result<_, _>>().map_err(nul)?;
        let programs = if program.contains('/') {
            vec![program.clone()]
        } else {
            let path = env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
            // An empty entry would mean the working directory, where the box may plant programs.
            let entries = path.split(':').filter(|entry| entry.starts_with('/'));
            entries.map(|entry| format!("{entry}/{program}")).collect()
        };
        let programs: Vec<_> =
            programs.into_iter().map(CString::new).collect::<Result<_, _>>().map_err(nul)?;
        if programs.is_empty() {
            return Err(BadOrder("PATH names no directory to search the program in"));
        }
        let cwd = CString::new(cwd).map_err(nul)?;
        Ok(Self { programs, argv, env: pairs, cwd })
    }
}

/// Where programs are searched if nobody says otherwise.
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[cfg(test)]
mod tests {
    use super::*;

    fn image(argv: &[&str], env: &[(&str, &str)]) -> Result<Image, BadOrder> {
        let argv: Vec<_> = argv.iter().map(|&arg| arg.to_owned()).collect();
        let env = env.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Image::new(&argv, &env, "/")
    }

    #[test]
    fn a_bare_program_is_searched_in_the_path_that_it_will_have() {
        let image = image(&["node"], &[("PATH", "/a:.:/b:")]).unwrap();
        assert_eq!(image.programs, [c"/a/node".to_owned(), c"/b/node".to_owned()]);
    }

    #[test]
    fn what_cannot_be_said_to_the_kernel_is_refused() {
        assert!(image(&[], &[]).is_err());
        assert!(image(&[""], &[]).is_err());
        assert!(image(&["/a\0b"], &[]).is_err());
        assert!(image(&["/a"], &[("A=B", "")]).is_err());
        assert!(image(&["/a"], &[("", "x")]).is_err());
        assert!(image(&["a"], &[("PATH", "rel")]).is_err());
    }
}
