//! Reads values and collects input errors, so that all of them are reported at once.

use secrecy::SecretString;

use crate::inputs::{ArgumentError, Env, GivenValue, Input, InputGroup, Inputs, Kind, ROWS, cli};

use super::input_error::{self, InputError, Warning};
use super::suspicious_text::{BREAKS, visible};

/// The inputs on one side, the input errors found so far on the other.
pub(super) struct Validator<'a> {
    pub inputs: &'a Inputs,
    pub env: &'a Env,
    pub input_errors: Vec<InputError>,
    pub warnings: Vec<Warning>,
    /// Everything that must not be seen, with its input's name.
    pub secrets: Vec<(&'static str, SecretString)>,
    /// What flags that do not exist were probably meant to give.
    misspelt: Vec<Input>,
}

/// What is wrong with a value, and the part of it that is.
pub(super) struct InvalidValue {
    /// The part to show; the whole value, if `Whole`.
    pub part: ShownPart,
    pub what: String,
}

pub(super) enum ShownPart {
    Whole,
    Only(String),
    /// Not to be shown, though the input's values usually are.
    Hidden,
}

impl InvalidValue {
    pub fn part(part: impl Into<String>, what: impl Into<String>) -> InvalidValue {
        InvalidValue { part: ShownPart::Only(part.into()), what: what.into() }
    }

    pub fn hidden(what: impl Into<String>) -> InvalidValue {
        InvalidValue { part: ShownPart::Hidden, what: what.into() }
    }
}

/// The value is wrong as a whole.
impl From<String> for InvalidValue {
    fn from(what: String) -> InvalidValue {
        InvalidValue { part: ShownPart::Whole, what }
    }
}

impl From<&str> for InvalidValue {
    fn from(what: &str) -> InvalidValue {
        what.to_owned().into()
    }
}

impl<'a> Validator<'a> {
    /// Begins with what is wrong before any value is looked at.
    pub fn new(inputs: &'a Inputs, env: &'a Env) -> Validator<'a> {
        let meant = |fault: &ArgumentError| match fault {
            ArgumentError::UnknownFlag(name) => Input::named(cli::suggestion(name)?),
            ArgumentError::SecretByFlag(input) => Some(*input),
            ArgumentError::DoctorNotFirst
            | ArgumentError::NotAlone(_)
            | ArgumentError::NotUtf8 { .. }
            | ArgumentError::Stray { .. }
            | ArgumentError::UnknownLetter(_) => None,
        };
        let mut validator = Validator {
            inputs,
            env,
            input_errors: inputs.faults.iter().map(input_error::of_command_line).collect(),
            warnings: Vec::new(),
            secrets: Vec::new(),
            misspelt: inputs.faults.iter().filter_map(meant).collect(),
        };
        for row in &ROWS {
            for given in inputs.all(row.input) {
                if let Err(why) = given.text {
                    validator.input_errors.push(input_error::of_unreadable(given, why));
                }
            }
        }
        validator
    }

    /// The value that counts, if one was given and can be read.
    pub fn given(&self, input: Input) -> Option<(&'a GivenValue, &'a str)> {
        let given = self.inputs.chosen(input)?;
        given.text.as_deref().ok().map(|text| (given, text))
    }

    /// Reads the value or else the default. `None`: neither is there, or an input error was noted.
    pub fn read<T>(&mut self, input: Input, parse: impl Fn(&str) -> Result<T, InvalidValue>) -> Option<T> {
        match self.inputs.chosen(input) {
            None => input.row().default.and_then(|text| parse(text).ok()),
            Some(given) => match seen(input, given.text.as_deref().ok()?).and_then(parse) {
                Ok(value) => Some(value),
                Err(wrong) => {
                    self.wrong(given, wrong);
                    None
                }
            },
        }
    }

    /// Reads the value if there is one. Outer `None`: an input error was noted.
    pub fn read_optional<T>(
        &mut self,
        input: Input,
        parse: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<Option<T>> {
        match self.inputs.chosen(input) {
            None => Some(None),
            Some(_) => self.read(input, parse).map(Some),
        }
    }

    /// What was read beside the inputs' table. `None`: input errors were noted.
    pub fn accept<T>(&mut self, read: Result<T, Vec<InputError>>) -> Option<T> {
        read.map_err(|input_errors| self.input_errors.extend(input_errors)).ok()
    }

    /// Notes that an input is needed, unless a flag that does not exist was probably meant to give it: one slip is one
    /// input error.
    pub fn missing(&mut self, input: Input, what: impl Into<String>) {
        let is_sign_in = |input: Input| input.row().group == InputGroup::SignIn;
        let is_meant = |meant: &Input| {
            let instead = [(Input::PipelineId, Input::RunId), (Input::RunId, Input::Trigger)];
            *meant == input || instead.contains(&(input, *meant)) || (is_sign_in(input) && is_sign_in(*meant))
        };
        if !self.misspelt.iter().any(is_meant) {
            self.input_errors.push(InputError::missing(input, what));
        }
    }

    /// The value that counts is wrong.
    pub fn refuse(&mut self, input: Input, wrong: impl Into<InvalidValue>) {
        if let Some(given) = self.inputs.chosen(input) {
            self.wrong(given, wrong);
        }
    }

    pub fn wrong(&mut self, given: &GivenValue, wrong: impl Into<InvalidValue>) {
        let wrong = wrong.into();
        let value = match (&wrong.part, &given.text) {
            (ShownPart::Whole, Ok(text)) => Some(text.as_str()),
            (ShownPart::Only(part), _) => Some(part.as_str()),
            (ShownPart::Whole, Err(_)) | (ShownPart::Hidden, _) => None,
        };
        self.input_errors.push(InputError::of(given, value, wrong.what));
    }
}

/// The value, if each of its characters can be seen. A path is the system's, which takes nearly any.
fn seen(input: Input, text: &str) -> Result<&str, InvalidValue> {
    let breaks = if input.row().kind == Kind::List { &BREAKS[..] } else { &[] };
    let checked = if input.row().value == "PATH" { Ok(()) } else { visible(text, breaks) };
    checked.map(|()| text).map_err(|what| match text.contains(['@', '?', '#']) {
        // Of an address, what stands there may be a secret.
        true => InvalidValue::hidden(what),
        false => what.into(),
    })
}
