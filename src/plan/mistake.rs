//! Mistakes and warnings about the inputs, as values: what a person sees of them is made once, at the end.

use std::fmt::Write;

use crate::gate::Foreign;
use crate::inputs::{Fault, Given, Input, Unreadable, cli};

/// Something wrong with the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub about: About,
    /// Where it was given (`--run-id`, `MAESTRO_RUN_ID`); `None` for what is missing.
    pub called: Option<String>,
    /// The value or the part of it that is wrong; never of a secret.
    pub value: Option<Foreign>,
    /// What is wrong and what would be right: our words only.
    pub what: String,
}

/// What a mistake is about, in the order of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    CommandLine,
    Input(Input),
    /// A variable that is no input of ours, such as `HTTPS_PROXY`.
    Variable(&'static str),
}

/// Something that is not wrong, but that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A name from the environment, where it is not one of ours.
    pub name: Option<Foreign>,
    pub what: String,
}

impl Mistake {
    /// A mistake about an input that was not given.
    pub(super) fn missing(input: Input, what: impl Into<String>) -> Mistake {
        Mistake { about: About::Input(input), called: None, value: None, what: what.into() }
    }

    /// A mistake about a given value; the value is told unless the table forbids it.
    pub(super) fn of(given: &Given, value: Option<&str>, what: impl Into<String>) -> Mistake {
        Mistake {
            about: About::Input(given.input),
            called: Some(given.called.clone()),
            value: value.filter(|_| given.input.may_be_shown()).map(Foreign::new),
            what: what.into(),
        }
    }

    /// One sentence; `show` makes foreign text fit to be seen.
    pub fn sentence(&self, show: impl Fn(&Foreign) -> String) -> String {
        let mut text = match self.about {
            About::CommandLine => "command line".to_owned(),
            About::Input(input) => input.name().to_owned(),
            About::Variable(name) => name.to_owned(),
        };
        if let Some(value) = &self.value {
            // Writing to a `String` can't fail.
            let _ = write!(text, " \"{}\"", show(value));
        }
        if let Some(called) = &self.called {
            let _ = write!(text, " ({called})");
        }
        let _ = write!(text, ": {}", self.what);
        text
    }
}

impl Warning {
    pub(super) fn ours(what: impl Into<String>) -> Warning {
        Warning { name: None, what: what.into() }
    }

    /// One sentence; `show` makes foreign text fit to be seen.
    pub fn sentence(&self, show: impl Fn(&Foreign) -> String) -> String {
        match &self.name {
            Some(name) => format!("{}: {}", show(name), self.what),
            None => self.what.clone(),
        }
    }
}

/// The mistake that a fault of the command line is.
pub(super) fn of_command_line(fault: &Fault) -> Mistake {
    let line = |value: Option<String>, what: String| Mistake {
        about: About::CommandLine,
        called: None,
        value: value.map(Foreign::new),
        what,
    };
    match fault {
        Fault::UnknownFlag(name) => {
            let what = match cli::suggestion(name) {
                Some(flag) => format!("there is no such flag; did you mean {flag}?"),
                None => "there is no such flag; --help shows all".to_owned(),
            };
            line(Some(name.clone()), what)
        }
        Fault::UnknownLetter(letter) => {
            line(Some(format!("-{letter}")), "there is no such flag; --help shows all".to_owned())
        }
        Fault::Stray { position, after } => {
            let place = match after {
                Some(input) => format!("argument {position} (somewhere after --{})", input.name()),
                None => format!("argument {position}"),
            };
            let what = "belongs to no flag; a value with blanks needs quotes, a switch is written --fail-fast=false, \
                        and runs follow --run-id";
            line(None, format!("{place} {what}"))
        }
        Fault::NotUtf8 { position } => line(None, format!("argument {position} is not UTF-8 text")),
        Fault::SecretByFlag(input) => {
            #[expect(clippy::wildcard_enum_match_arm, reason = "only these secrets can come from a file")]
            let file = match input {
                Input::Password => " or the flag --password-file",
                Input::AccessToken => " or the flag --access-token-file",
                _ => "",
            };
            let what = format!(
                "a secret has no flag, since process lists and logs show flags; use the variable {}{file}, and \
                 consider what was given here as known to others",
                input.row().variable
            );
            Mistake { called: Some(format!("--{}", input.name())), ..Mistake::missing(*input, what) }
        }
        Fault::NotAlone(_) => {
            let what = "--help and --version stand alone; beside other arguments no run would be watched";
            line(None, what.to_owned())
        }
        Fault::DoctorNotFirst => {
            line(None, "`doctor` comes before all flags: maestro-gate doctor --pipeline-id ...".to_owned())
        }
    }
}

/// The mistake that an unreadable value is.
pub(super) fn of_unreadable(given: &Given, why: Unreadable) -> Mistake {
    let what = match why {
        Unreadable::NotUtf8 => "the value is not UTF-8 text".to_owned(),
        Unreadable::NoValue => {
            let name = given.input.name();
            format!("the flag needs a value; one that begins with a hyphen is written --{name}=-value")
        }
        Unreadable::Repeated => "the flag is given more than once; it takes one value".to_owned(),
        Unreadable::EmptyAmongSeveral => {
            "the flag is repeated and one of its values is empty or ends with a comma; an expression that came \
             out empty would mean that less is watched than was meant"
                .to_owned()
        }
    };
    Mistake::of(given, None, what)
}
