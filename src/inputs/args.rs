//! What the command line says, to its last argument.
//!
//! clap stops at the first thing it does not know, prints it (a password, in `--password x`), and forgets what stands
//! behind it. A gate tells all input errors at once, repeats nothing that might be a secret, and must know even then where
//! its reports go. So the words are sorted in here, by clap's own rules, and clap describes the command (`cli`); a test
//! holds the two to the same reading.

use std::ffi::{OsStr, OsString};

use super::{Input, Kind, ROWS, cli, switch};

/// What was read: values by input in the order given, and what could not be read.
#[derive(Default)]
pub struct Arguments {
    /// Each use of a flag; `None` where its value is missing.
    pub flags: Vec<(Input, Option<OsString>)>,
    pub faults: Vec<ArgumentError>,
    /// What was given to flags that do not exist because they would take secrets: to be redacted.
    pub exposed_secrets: Vec<(Input, OsString)>,
    pub mode: Option<Mode>,
}

/// Something to show instead of a gate to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Help,
    Version,
    /// A check of everything that a gate with these inputs would need.
    Doctor,
}

/// What is wrong with the command line as such. No value given is repeated: it might be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// No such flag; the name only, up to a `=`. It may begin with one hyphen, or with a dash that is no hyphen.
    UnknownFlag(String),
    /// A switch of one letter that does not exist.
    UnknownLetter(char),
    /// An argument that belongs to no flag: its place, and the flag before it.
    Stray { position: usize, after: Option<Input> },
    /// A flag's name that is not UTF-8.
    NotUtf8 { position: usize },
    /// A secret given by flag.
    SecretByFlag(Input),
    /// `--help` or `--version` beside other arguments: a gate that shows its help instead of waiting would pass.
    NotAlone(Mode),
    /// `doctor` somewhere else than first: a gate would run where only a check was wanted, or the other way round.
    DoctorNotFirst,
}

impl ArgumentError {
    /// The input that was probably meant by a flag that does not exist.
    pub fn meant(&self) -> Option<Input> {
        match self {
            ArgumentError::UnknownFlag(name) => Input::named(cli::suggestion(name)?),
            ArgumentError::SecretByFlag(input) => Some(*input),
            ArgumentError::DoctorNotFirst
            | ArgumentError::NotAlone(_)
            | ArgumentError::NotUtf8 { .. }
            | ArgumentError::Stray { .. }
            | ArgumentError::UnknownLetter(_) => None,
        }
    }
}

/// What words are that no flag has taken as its value.
#[derive(Clone, Copy)]
enum FurtherWords {
    Stray,
    /// Behind a flag for a secret: they may be part of it, up to the next flag.
    OfSecret(Input),
    /// Behind a flag that does not exist: they were meant for it.
    OfUnknown,
}

/// What the arguments ask for beside a gate.
pub fn mode(args: &[OsString]) -> Option<Mode> {
    read(args).mode
}

pub fn read(args: &[OsString]) -> Arguments {
    let mut arguments = Arguments::default();
    let is_doctor = args.first().is_some_and(|first| first == "doctor");
    let mut rest = args.get(usize::from(is_doctor)..).unwrap_or_default();
    if let [only] = rest
        && let mode @ Some(_) = shown(only)
    {
        return Arguments { mode, ..arguments };
    }
    // `help` and `version` are commands only where a command stands.
    if let [command, behind @ ..] = args
        && (command == "help" || command == "version")
    {
        (arguments.mode, rest) = (shown(command), behind);
    }
    let mut further = FurtherWords::Stray;
    let mut only_words = false;
    while let [arg, behind @ ..] = rest {
        rest = behind;
        let position = args.len() - rest.len();
        if only_words || !looks_like_a_flag(arg) {
            further = arguments.word(further, position, arg);
        } else if arg == "--" {
            (only_words, further) = (true, FurtherWords::Stray);
        } else {
            further = arguments.flag(position, arg, &mut rest);
        }
    }
    if let Some(mode) = arguments.mode.take() {
        arguments.faults.push(ArgumentError::NotAlone(mode));
    }
    arguments.mode = is_doctor.then_some(Mode::Doctor);
    arguments
}

/// What a word asks for that is shown instead of a gate.
fn shown(word: &OsStr) -> Option<Mode> {
    match word.to_str()? {
        "help" | "--help" | "-h" => Some(Mode::Help),
        "version" | "--version" | "-V" => Some(Mode::Version),
        _ => None,
    }
}

impl Arguments {
    /// An argument that is neither a flag nor one's value.
    fn word(&mut self, further: FurtherWords, position: usize, word: &OsStr) -> FurtherWords {
        match further {
            FurtherWords::OfSecret(input) => self.exposed_secrets.push((input, word.to_owned())),
            FurtherWords::OfUnknown => {}
            FurtherWords::Stray => {
                if let Some(name) = flag_with_a_wrong_dash(word) {
                    return self.unknown(ArgumentError::UnknownFlag(name));
                }
                let after = self.flags.last().map(|(input, _)| *input);
                let is_doctor = word == "doctor";
                let stray = ArgumentError::Stray { position, after };
                self.faults.push(if is_doctor { ArgumentError::DoctorNotFirst } else { stray });
            }
        }
        further
    }

    fn unknown(&mut self, fault: ArgumentError) -> FurtherWords {
        self.faults.push(fault);
        FurtherWords::OfUnknown
    }

    /// `--name`, `--name=value`, or letters. A value that is not attached is taken from the `rest`.
    fn flag(&mut self, position: usize, arg: &OsStr, rest: &mut &[OsString]) -> FurtherWords {
        if let mode @ Some(_) = shown(arg) {
            self.mode = mode;
            return FurtherWords::Stray;
        }
        let (name, value) = split_at_equals(arg);
        let Some(name) = name.to_str() else { return self.unknown(ArgumentError::NotUtf8 { position }) };
        let Some(long) = name.strip_prefix("--") else { return self.letters(name, value, rest) };
        let Some(input) = Input::named(long) else {
            return self.unknown(ArgumentError::UnknownFlag(name.to_owned()));
        };
        match input.row().kind {
            Kind::Secret => {
                self.faults.push(ArgumentError::SecretByFlag(input));
                self.exposed_secrets.extend(value.map(|value| (input, value.to_owned())));
                return FurtherWords::OfSecret(input);
            }
            Kind::Switch => self.switch(input, value, rest),
            Kind::One | Kind::List | Kind::SecretFile => {
                let value = value.map(OsStr::to_owned).or_else(|| next_if(rest, |word| !looks_like_a_flag(word)));
                self.flags.push((input, value));
            }
        }
        FurtherWords::Stray
    }

    /// `-q`, or several letters in one: `-qv`. What follows an unknown letter may be its value, and is not read.
    fn letters(&mut self, letters: &str, value: Option<&OsStr>, rest: &mut &[OsString]) -> FurtherWords {
        let name = letters.trim_start_matches('-');
        if Input::named(name).is_some() || ["help", "version"].contains(&name) {
            return self.unknown(ArgumentError::UnknownFlag(letters.to_owned()));
        }
        let mut letters = letters.chars().skip(1).peekable();
        while let Some(letter) = letters.next() {
            let is_last = letters.peek().is_none();
            let input = ROWS.iter().map(|row| row.input).find(|input| input.short() == Some(letter));
            match (letter, input) {
                ('h', _) if !is_last || value.is_none() => self.mode = Some(Mode::Help),
                ('V', _) if !is_last || value.is_none() => self.mode = Some(Mode::Version),
                (_, Some(input)) if is_last => self.switch(input, value, rest),
                (_, Some(input)) => self.flags.push((input, Some("true".into()))),
                (_, None) => return self.unknown(ArgumentError::UnknownLetter(letter)),
            }
        }
        FurtherWords::Stray
    }

    /// A switch takes `true` or `false` as the next word, and leaves anything else alone.
    fn switch(&mut self, input: Input, value: Option<&OsStr>, rest: &mut &[OsString]) {
        let next = || next_if(rest, |word| word.to_str().and_then(switch).is_some());
        let value = value.map(OsStr::to_owned).or_else(next).unwrap_or_else(|| "true".into());
        self.flags.push((input, Some(value)));
    }
}

/// Takes the next argument, if there is one that fits.
fn next_if(rest: &mut &[OsString], fits: impl Fn(&OsStr) -> bool) -> Option<OsString> {
    let (next, behind) = rest.split_first().filter(|(next, _)| fits(next))?;
    *rest = behind;
    Some(next.clone())
}

/// A lone `-` is a word, as it is for clap.
fn looks_like_a_flag(arg: &OsStr) -> bool {
    arg.len() > 1 && arg.as_encoded_bytes().starts_with(b"-")
}

/// The name, up to a `=`, of a flag that was written with a dash as word processors make them of two hyphens.
fn flag_with_a_wrong_dash(word: &OsStr) -> Option<String> {
    let name = word.to_str()?.split('=').next()?;
    let is_one = name.starts_with(cli::is_dash) && cli::suggestion(name).is_some();
    is_one.then(|| name.to_owned())
}

/// An argument that is not UTF-8 stays whole: without `unsafe` only text can be cut.
fn split_at_equals(arg: &OsStr) -> (&OsStr, Option<&OsStr>) {
    match arg.to_str().and_then(|text| text.split_once('=')) {
        Some((name, value)) => (name.as_ref(), Some(value.as_ref())),
        None => (arg, None),
    }
}
