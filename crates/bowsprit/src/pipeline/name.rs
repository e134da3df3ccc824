//! Names of releases.

use bowsprit_render::sprig_functions;
use bowsprit_template::{ExecError, ParseError, Run, TemplateSet};
use bowsprit_value::{Func, Host, Limits, Meter, Value, strconv};
use std::fmt;
use std::sync::Arc;

/// The bytes that a release's name may have.
pub const MAX_RELEASE_NAME: usize = 53;

/// A name that no release can have. `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseNameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub reason: ReleaseNameReason,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseNameReason {
    /// It is empty.
    Missing,
    /// It is too long, or not made of lower-case letters, digits, and `-` and `.` between them.
    Invalid,
}

impl fmt::Display for ReleaseNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = strconv::quote(self.name.as_bytes());
        write!(f, "release name {}: ", String::from_utf8_lossy(&name))?;
        f.write_str(match self.reason {
            ReleaseNameReason::Missing => "no name provided",
            ReleaseNameReason::Invalid => {
                r"invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
            }
        })
    }
}

impl std::error::Error for ReleaseNameError {}

/// Checks the name of a release.
///
/// ```
/// use bowsprit::pipeline::validate_release_name;
///
/// assert!(validate_release_name("web-1.prod").is_ok());
/// assert!(validate_release_name("Web").is_err());
/// ```
///
/// # Errors
///
/// Fails where Helm does not take the name.
pub fn validate_release_name(name: &str) -> Result<(), ReleaseNameError> {
    let fail = |reason| Err(ReleaseNameError { name: name.to_owned(), reason });
    if name.is_empty() {
        return fail(ReleaseNameReason::Missing);
    }
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let valid = |label: &[u8]| {
        label.first().is_some_and(alphanumeric)
            && label.last().is_some_and(alphanumeric)
            && label.iter().all(|b| alphanumeric(b) || *b == b'-')
    };
    if name.len() <= MAX_RELEASE_NAME && name.as_bytes().split(|b| *b == b'.').all(valid) {
        return Ok(());
    }
    fail(ReleaseNameReason::Invalid)
}

/// A template for a name that can't be parsed or run. `Display` is Go's text.
#[derive(Clone, Debug)]
pub enum TemplateNameError {
    /// It can't be parsed.
    Parse(ParseError),
    /// It failed.
    Exec(ExecError),
}

impl fmt::Display for TemplateNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateNameError::Parse(error) => error.fmt(f),
            TemplateNameError::Exec(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TemplateNameError {}

/// Makes a name of a template without data (`--name-template`), which can call sprig's functions.
///
/// `extra` are functions that come on top: sprig has `env` and `expandenv`, which are the caller's to
/// give.
///
/// ```
/// use bowsprit::pipeline::release_name_from;
/// use bowsprit::value::{Hermetic, Limits};
///
/// let limits = Limits::default();
/// let name = release_name_from("{{ lower \"WEB\" }}", &[], &Hermetic::default(), limits)?;
/// assert_eq!(name, "web");
/// # Ok::<(), bowsprit::pipeline::TemplateNameError>(())
/// ```
///
/// # Errors
///
/// Fails where the template can't be parsed or run.
pub fn release_name_from(
    template: &str,
    extra: &'static [Func],
    host: &dyn Host,
    limits: Limits,
) -> Result<String, TemplateNameError> {
    const NAME: &str = "name-template";
    let mut functions = sprig_functions();
    functions.extend(extra);
    let mut set = TemplateSet::new(Arc::new(functions));
    set.parse(NAME, template.as_bytes()).map_err(TemplateNameError::Parse)?;
    let meter = Meter::new(limits);
    let mut run = Run::new(&set, host, &meter);
    let name = run.execute(NAME.as_bytes(), Value::Nil).map_err(TemplateNameError::Exec)?;
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// Renders one template over some data, as `helm get all --template` does.
///
/// # Errors
///
/// Fails where the template can't be parsed or run.
pub fn render_data(template: &str, data: Value) -> Result<Vec<u8>, TemplateNameError> {
    let mut set = TemplateSet::new(Arc::new(sprig_functions()));
    set.parse("", template.as_bytes()).map_err(TemplateNameError::Parse)?;
    let (host, meter) = (bowsprit_value::Hermetic::default(), Meter::new(Limits::default()));
    let mut run = Run::new(&set, &host, &meter);
    run.execute(b"", data).map(<[u8]>::to_vec).map_err(TemplateNameError::Exec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Hermetic;

    #[test]
    fn names_are_labels_with_dots_between() {
        for name in ["a", "a-b", "a.b", "0", "a--b", &"a".repeat(53)] {
            assert_eq!(validate_release_name(name), Ok(()), "{name}");
        }
        for name in ["", "A", "-a", "a-", "a..b", ".a", "a_b", "a.-b", "é", &"a".repeat(54)] {
            assert!(validate_release_name(name).is_err(), "{name}");
        }
        let missing = validate_release_name("").unwrap_err();
        assert_eq!(missing.to_string(), "release name \"\": no name provided");
    }

    #[test]
    fn templates_of_names_fail_as_in_go() {
        for (template, want) in [
            (
                "a{{ fail \"x\" }}",
                "template: name-template:1:4: executing \"name-template\" at <fail \"x\">: \
                 error calling fail: x",
            ),
            ("{{ nope }}", "template: name-template:1: function \"nope\" not defined"),
        ] {
            let host = Hermetic::default();
            let error = release_name_from(template, &[], &host, Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }
}
