//! The command as clap describes it: flags, `--help`, and which flag somebody may have meant.

use clap::builder::{Arg, ArgAction, Command};

use super::{Kind, ROWS};

/// The heading of what is no input.
const OTHER: &str = "Other";

/// The command line's definition.
pub fn command() -> Command {
    let flags = ROWS.iter().filter(|row| row.input.has_flag()).map(|row| {
        let default = row.default.map(|text| format!(" [default: {text}]")).unwrap_or_default();
        let arg = Arg::new(row.name)
            .long(row.name)
            .short(row.input.short())
            .help(format!("{}{default} [env: {}]", row.help, row.variable))
            .help_heading(row.group.heading());
        match row.kind {
            Kind::List => arg.value_name(row.value).action(ArgAction::Append),
            Kind::Switch => {
                // The flag alone means `true`. `args` also takes `true` or `false` as the next argument and nothing else,
                // which clap can't say.
                arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false")
            }
            Kind::One | Kind::SecretFile | Kind::Secret => arg.value_name(row.value),
        }
    });
    Command::new("maestro-gate")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Waits for Dadosfera Maestro pipeline runs and lets a CI job go on only if they succeeded")
        .override_usage(
            "maestro-gate --pipeline-id <ID> --run-id <RUN> [OPTIONS]\n       maestro-gate doctor [OPTIONS]   checks what a gate with these options would need",
        )
        .args(flags)
        // At the end and not at the beginning, where clap would put them.
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help).help("Print help").help_heading(OTHER))
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help("Print version")
                .help_heading(OTHER),
        )
        .disable_help_subcommand(true)
        .max_term_width(120)
}

/// The text of `--help`; `closing` comes after the flags.
pub fn help(closing: String) -> String {
    command().after_help(closing).render_help().to_string()
}

/// The text of `--version`.
pub fn version() -> String {
    concat!("maestro-gate ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

/// The flag that `unknown` was probably meant to be, without its hyphens. It may be a secret's, which has no flag.
pub fn suggestion(unknown: &str) -> Option<&'static str> {
    let unknown = unknown.trim_start_matches(|c| c == '-' || is_dash(c)).to_ascii_lowercase();
    // clap's measure and limit; its parser would be a fiftieth of the binary, for this alone.
    let likeness = |name: &str| strsim::jaro(&unknown, name);
    let names = ROWS.iter().map(|row| row.name).chain(["help", "version"]);
    let likely = names.map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > 0.7);
    likely.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// The dashes that word processors and web pages put in the place of hyphens.
pub fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
}
