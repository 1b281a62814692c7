//! `cargo run --example stand-in -- --port 8080 --scenario FILE.json`: a stand-in for the Maestro service on this machine.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which talks on the terminal")]

#[expect(
    dead_code,
    unused_imports,
    reason = "the tests order replies and look at requests in ways that a scenario file has no need of"
)]
mod service;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use service::{On, READY, Scenario, Service};

fn main() -> ExitCode {
    let names = READY.map(|(name, _)| name).join(", ");
    let matches = Command::new("stand-in")
        .about(
            "Stands in for the Maestro service on 127.0.0.1: plays the runs of a scenario, and misbehaves as it says",
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_parser(value_parser!(u16))
                .default_value("8080")
                .help("0: any free port"),
        )
        .arg(
            Arg::new("scenario")
                .long("scenario")
                .default_value("documented")
                .help(format!("a JSON file, or a ready scenario: {names}")),
        )
        .arg(
            Arg::new("speed")
                .long("speed")
                .value_parser(value_parser!(f64))
                .help("seconds of the scenario in a real one"),
        )
        .get_matches();
    match serve(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("stand-in: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(matches: &ArgMatches) -> Result<(), String> {
    let port = *matches.get_one::<u16>("port").expect("it has a default");
    let named = matches.get_one::<String>("scenario").expect("it has a default");
    let mut scenario = match Scenario::ready(named) {
        Some(scenario) => scenario,
        None => {
            let json = std::fs::read_to_string(named).map_err(|error| format!("read {named}: {error}"))?;
            Scenario::from_json(&json).map_err(|error| format!("read {named}: {error}"))?
        }
    };
    if let Some(speed) = matches.get_one::<f64>("speed") {
        scenario = scenario.at_speed(*speed)?;
    }
    let speed = scenario.speed;
    let about = scenario.about.clone();
    let accounts: Vec<String> =
        scenario.accounts.iter().map(|account| format!("{} / {}", account.username, account.password)).collect();
    let service = Service::start_on(port, scenario).map_err(|error| format!("listen on port {port}: {error}"))?;

    println!("stand-in Maestro at {} - {about}", service.base_url());
    println!("  sign in as {}; one real second is {speed} of the scenario's; Ctrl-C ends it", accounts.join(" or "));
    if service.base_url().starts_with("https") {
        println!("  trust this authority:\n{}", service.ca_pem());
    }
    let mut told = 0;
    loop {
        service.wait_for(On::Any, told + 1, Duration::from_secs(3600));
        for seen in service.requests_from(told) {
            told += 1;
            let note = if seen.ordered { "  (as ordered)" } else { "" };
            let line =
                format!("{:9.3} s  {} {} -> {}{note}", seen.at.as_secs_f64(), seen.method, seen.path, seen.status);
            // A closed terminal is no reason to stop serving.
            let _closed = writeln!(io::stdout(), "{line}");
        }
    }
}
