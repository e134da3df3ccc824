//! Flags as Helm's command line knows them.
//!
//! Helm reads its flags with pflag, whose rules and error texts are observable: a value may begin with
//! a dash, bools take theirs only behind `=`, the first wrong flag from the left is reported. clap
//! follows other rules, so it draws help and completions from these tables and does not parse.

mod csv;
mod parse;
mod value;

pub(crate) use parse::{Parsed, Parser, is_optional};

/// What a flag's value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Text,
    /// Texts, one each time.
    Texts,
    /// Texts, separated by commas, with quotes as in CSV.
    List,
    /// `key=value` pairs, separated by commas.
    Pairs,
    Int64,
    /// Klog's level, which takes no other base than ten.
    Level,
    Uint64,
    Float32,
    Duration,
    /// A number of bytes.
    Size,
    /// What `-o` takes.
    Output,
    /// What `--wait` takes.
    Wait,
    /// The name of a plugin.
    PostRenderer,
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind,
    /// What is printed for the value in help.
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
    pub(crate) hidden: bool,
    pub(crate) deprecated: Option<&'static str>,
    /// The value that the flag has without one; others need one.
    pub(crate) optional: Option<&'static str>,
}

impl Flag {
    const fn new(name: &'static str, kind: Kind, value: &'static str, help: &'static str) -> Flag {
        Flag {
            name,
            short: None,
            kind,
            value,
            help,
            hidden: false,
            deprecated: None,
            optional: None,
        }
    }

    /// A switch.
    pub(crate) const fn switch(name: &'static str, help: &'static str) -> Flag {
        Flag { optional: Some("true"), ..Flag::new(name, Kind::Bool, "BOOL", help) }
    }

    /// A flag with a value.
    pub(crate) const fn with(
        name: &'static str,
        kind: Kind,
        value: &'static str,
        help: &'static str,
    ) -> Flag {
        Flag::new(name, kind, value, help)
    }

    pub(crate) const fn short(mut self, short: char) -> Flag {
        self.short = Some(short);
        self
    }

    pub(crate) const fn hidden(mut self) -> Flag {
        self.hidden = true;
        self
    }

    /// Still accepted, with a line that says what to do instead.
    pub(crate) const fn deprecated(mut self, instead: &'static str) -> Flag {
        self.deprecated = Some(instead);
        self.hidden = true;
        self
    }

    /// The value may be left out.
    pub(crate) const fn optional(mut self, value: &'static str) -> Flag {
        self.optional = Some(value);
        self
    }
}

/// `-h`, which every command has.
pub(crate) static HELP: &[Flag] = &[Flag::switch("help", "Print help").short('h')];
